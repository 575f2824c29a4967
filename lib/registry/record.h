/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record of a trial, STATE/confirmed.json: the configuration that is confirmed, as a daemon.json with one
 * member more (docs/confirm.md). Here it is text; lib/registry/trial.c knows when it is written and removed.
 *
 *	{"rtreg-record":{"version":1,"state":"pending","generation":7,"files":"9f86…","fragments":{KEY:NAME…},
 *	                 "runtimes":{RUNTIME:NAME…}},
 *	 "labels":[…],…}
 */
#ifndef RTREG_REGISTRY_RECORD_H
#define RTREG_REGISTRY_RECORD_H

#include "base/digest.h"
#include "snapshot/snapshot.h"
#include "values/settings.h"

#define RECORD_FILE "confirmed.json"

enum record_state {
	RECORD_NONE,
	RECORD_PENDING,  /* what came after it is on trial */
	RECORD_REVERTED, /* what came after it was given up, and may still be in the files */
};

struct record {
	enum record_state state;
	uint64_t generation;           /* the confirmed one */
	char files[DIGEST_LENGTH + 1]; /* of the files whose configuration is on trial; "": a body's is */
};

/*
 * Writes the record: what the files said of the snapshot's settings, secrets too. Keys that `known` does not
 * have are left out. malloc'ed, NULL without memory.
 */
char *record_write(const struct record *record, const struct rtreg_snapshot *confirmed,
                   const struct keyset *known);

/* A record that was read: the configuration in it, and what is said of its origins. */
struct record_tree {
	struct value config, header;
};

/* Reads what record_write() wrote. -EINVAL: it is something else. -ENOMEM. */
int record_parse(struct arena *arena, const char *text, size_t length, struct record *ret,
                 struct record_tree *ret_tree, struct rtreg_error *error);

/* The settings of its configuration; uses the tree up. What is wrong with them is in `problems`. -ENOMEM. */
int record_settings(struct arena *arena, const struct keyset *keys, struct record_tree *tree,
                    struct settings *ret, struct problems *problems);

#endif
