/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The draft: what the next snapshot's settings will be. The new configuration is merged over the live one,
 * key by key, by each key's rule (docs/reload.md). Everything is copied into the draft's arena, so that
 * snapshots share nothing.
 *
 * Context: the thread that reloads; nothing here is shared.
 */
#ifndef RTREG_DRAFT_DRAFT_H
#define RTREG_DRAFT_DRAFT_H

#include "base/problems.h"
#include "snapshot/snapshot.h"

/* What a draft is made from. None of it is owned. */
struct draft_input {
	const struct settings *file;          /* values in the draft's own arena; drop-ins too */
	bool has_runtimes;                    /* the main file, or a body, sets `runtimes` itself */
	const struct settings *flags;         /* may know fewer keys than `file` does */
	const struct settings *defaults;      /* likewise */
	const struct rtreg_snapshot *live;    /* NULL at start */
	const struct rtreg_snapshot *restore; /* all values are its, whatever is said elsewhere; or NULL */
	bool exact;        /* `file` holds values that were in force: none of them means the default */
	bool like_a_start; /* the default file was deleted: as a start without it (with `live` set) */
};

struct draft {
	struct arena *arena; /* not owned */
	struct draft_input input;
	struct settings merged;    /* the future live values */
	struct settings candidate; /* what is checked: for keys that are held, what a start would take */
	struct problems *problems; /* not owned */
};

/* All held keys are set at once, the others by the steps. -ENOMEM. */
int draft_init(struct draft *draft, struct arena *arena, const struct draft_input *input,
               struct problems *problems);

/* Merges the keys of one built-in step. -ENOMEM. */
int draft_merge_step(struct draft *draft, enum step_id step);

/* Checks the merged result; what is wrong goes to draft->problems. */
void draft_check(const struct draft *draft);

/* Whether a key that the new configuration lacks goes back to the flag's value or the default. */
bool draft_resets(const struct draft *draft, size_t index);

/* Whether some value of the draft comes from elsewhere than the live one. Where all values are the same. */
bool draft_moved(const struct draft *draft);

/* The live value of a key, or its zero value where the live snapshot does not know it. `live` may be NULL. */
struct setting draft_live(const struct rtreg_snapshot *live, const struct keyset *keys, size_t index);

#endif
