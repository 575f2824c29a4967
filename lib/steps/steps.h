/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in steps of a reload, in order; and the engine's, in the order added. */
#ifndef RTREG_STEPS_STEPS_H
#define RTREG_STEPS_STEPS_H

#include "draft/draft.h"
#include "steps/txn.h"

/* Runs the built-in steps: merges all keys that can be reloaded into the draft. -ENOMEM. */
int steps_merge(struct draft *draft);

/* The engine's steps. Zeroed is empty; names are copied. */
struct step_list {
	struct rtreg_step *items;
	size_t count;
};
int step_list_add(struct step_list *list, const struct rtreg_step *step);
void step_list_fini(struct step_list *list);

#endif
