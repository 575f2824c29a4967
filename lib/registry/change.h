/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A change of the registry's own drop-in on its way through a reload: first the content that is read in place
 * of the file's, then the step that writes it, once everything that can be refused has been.
 */
#ifndef RTREG_REGISTRY_CHANGE_H
#define RTREG_REGISTRY_CHANGE_H

#include "base/replace.h"
#include "bytes/sources.h"

struct change {
	char *directory, *path; /* FILE.d, and the drop-in in it */
	char *before;           /* the content that it was made from */
	char *text;             /* the new content; NULL: the file goes */
	struct overlay overlay; /* the same, for the reload */
	bool writes;            /* it differs from what is there */
	/* the step's */
	int fd; /* of the directory; -1: not open */
	bool made;
	bool overtaken; /* somebody else has changed the file since */
	struct replacement replacement;
};

/* Writes the drop-in, to be kept or taken back with the transaction. Context: writer. */
int change_step(struct rtreg_txn *txn, void *context, struct rtreg_error *error);

#endif
