/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wrapper scripts that a snapshot stands for: the store does not keep their contents while it is live. */
#include <string.h>

#include "snapshot/snapshot.h"

static const char *next_script(struct script_source *source)
{
	struct snapshot_scripts *scripts = (struct snapshot_scripts *)source;
	const struct rtreg_snapshot *snapshot = scripts->snapshot;

	while (snapshot && scripts->next < snapshot->runtime_count) {
		const char *wrapper = snapshot->runtimes[scripts->next++].runtime.wrapper;

		if (wrapper)
			return strrchr(wrapper, '/') + 1;
	}
	return NULL;
}

static int make_last(const struct script_source *source, struct script *ret)
{
	const struct snapshot_scripts *scripts = (const struct snapshot_scripts *)source;

	return snapshot_script(scripts->snapshot, scripts->snapshot->runtimes[scripts->next - 1].runtime.name,
	                       ret);
}

struct snapshot_scripts snapshot_scripts_of(const struct rtreg_snapshot *snapshot)
{
	return (struct snapshot_scripts){.source = {.next = next_script, .make = make_last},
	                                 .snapshot = snapshot};
}

static int keep_script(const struct rtreg_snapshot *snapshot, const char *runtime, struct script_store *store)
{
	_cleanup_(script_fini) struct script script = {0};
	int r = snapshot_script(snapshot, runtime, &script);

	return r < 0 ? r : script_store_keep(store, &script);
}

/* Both are in order of name. */
int snapshot_keep_scripts(const struct rtreg_snapshot *old, const struct rtreg_snapshot *successor,
                          struct script_store *store)
{
	int r = 0;

	if (!old || old->script_count == successor->script_taken)
		return 0;
	for (size_t i = 0, j = 0; r == 0 && i < old->runtime_count; i++) {
		const struct rtreg_runtime *runtime = &old->runtimes[i].runtime, *now = NULL;
		int order = 1;

		while (j < successor->runtime_count &&
		       (order = strcmp(successor->runtimes[j].runtime.name, runtime->name)) < 0)
			j++;
		if (order == 0)
			now = &successor->runtimes[j].runtime;
		if (runtime->wrapper && !(now && now->wrapper && strcmp(now->wrapper, runtime->wrapper) == 0))
			r = keep_script(old, runtime->name, store);
	}
	return r;
}
