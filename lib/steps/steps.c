/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

#include <errno.h>
#include <string.h>

int steps_merge(struct draft *draft)
{
	int r = 0;

	for (enum step_id step = STEP_NONE + 1; r == 0 && step < STEP_COUNT; step++)
		r = draft_merge_step(draft, step);
	return r;
}

int step_list_add(struct step_list *list, const struct rtreg_step *step)
{
	struct rtreg_step *items = reallocarray(list->items, list->count + 1, sizeof(*items));
	char *name = strdup(step->name ? step->name : "engine");

	if (items)
		list->items = items;
	if (!items || !name) {
		free(name);
		return -ENOMEM;
	}
	items[list->count] = *step;
	items[list->count++].name = name;
	return 0;
}

void step_list_fini(struct step_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)list->items[i].name);
	free(list->items);
	*list = (struct step_list){0};
}
