/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replaces a file whole and durably, so that it can be taken back exactly: the old one stays beside it, as a
 * second link, until the replacement is kept or undone.
 *
 *	.NAME.new   the new content, until it is synced and renamed
 *	.NAME.old   the old file
 *
 * One writer for each file. Whoever dies in between leaves one of these, which the next replacement removes.
 */
#ifndef RTREG_BASE_REPLACE_H
#define RTREG_BASE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Zeroed is nothing to keep or to undo. */
struct replacement {
	int directory; /* not owned */
	const char *name;
	bool done, had; /* there was a file before */
};

/*
 * Makes `bytes` the content of `name` in `directory`, with `mode`; NULL: removes the file. Durable when it
 * returns 0; otherwise, a negative errno, the file is as it was. `name` stays the caller's until the end.
 */
int replace_file(struct replacement *ret, int directory, const char *name, const void *bytes, size_t size,
                 mode_t mode);

/* The end of a replacement, one way or the other. Nothing happens where there was none. */
void replacement_keep(struct replacement *replacement);
/* Puts the old file, or its absence, back. It needs no space on the disk. */
int replacement_undo(struct replacement *replacement);

#endif
