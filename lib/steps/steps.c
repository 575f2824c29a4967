/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

#include <errno.h>
#include <string.h>

/* The order of a reload. The table of keys says which step merges which key. */
static const char *const builtin_steps[STEP_COUNT] = {
        [STEP_PLATFORM] = "platform",
        [STEP_DEBUG] = "debug",
        [STEP_MAX_CONCURRENT] = "max-concurrent-downloads-and-uploads",
        [STEP_MAX_DOWNLOAD_ATTEMPTS] = "max-download-attempts",
        [STEP_SHUTDOWN_TIMEOUT] = "shutdown-timeout",
        [STEP_DEFAULT_STOP_TIMEOUT] = "default-stop-timeout",
        [STEP_FEATURES] = "features",
        [STEP_LABELS] = "labels",
        [STEP_REGISTRY_CONFIG] = "registry-config",
        [STEP_LIVE_RESTORE] = "live-restore",
        [STEP_NETWORK_DIAGNOSTIC_PORT] = "network-diagnostic-port",
        [STEP_NRI] = "nri",
        [STEP_ENGINE_KEYS] = "engine-keys",
};

int steps_merge(struct draft *draft)
{
	int r = 0;

	for (enum step_id step = STEP_NONE + 1; r == 0 && step < STEP_COUNT; step++)
		r = draft_merge_step(draft, step);
	return r;
}

const char *step_name(enum step_id id)
{
	return builtin_steps[id];
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
