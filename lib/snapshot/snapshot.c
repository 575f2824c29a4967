/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot/snapshot.h"

#include <errno.h>
#include <string.h>

/* What "" resolves to: the default runtime, which may be an implicit shim name. */
static int set_default(struct rtreg_snapshot *snapshot)
{
	const char *name = settings_string(&snapshot->settings, KEY_ID_DEFAULT_RUNTIME);
	struct rtreg_runtime *runtime = arena_alloc(snapshot->arena, sizeof(*runtime));
	int r;

	if (!runtime)
		return -ENOMEM;
	r = rtreg_resolve(snapshot, name, runtime, NULL);
	if (r < 0)
		return r;
	snapshot->head.default_runtime = runtime;
	return 0;
}

struct rtreg_snapshot *snapshot_seal(struct arena *arena, const struct settings *settings,
                                     const struct derive_context *context, uint64_t generation,
                                     struct script_list *ret_scripts)
{
	struct rtreg_snapshot *snapshot = arena_alloc(arena, sizeof(*snapshot));
	_cleanup_(script_list_fini) struct script_list scripts = {0};
	int r;

	if (!snapshot)
		return NULL;
	snapshot->arena = arena;
	snapshot->settings = *settings;
	snapshot->head.generation = generation;
	r = derive_runtimes(snapshot, context, &scripts);
	if (r == 0)
		r = table_build(snapshot);
	if (r == 0)
		r = set_default(snapshot);
	if (r == 0)
		r = registry_lists_make(arena, settings_get(settings, KEY_ID_REGISTRY_MIRRORS),
		                        settings_get(settings, KEY_ID_INSECURE_REGISTRIES),
		                        &snapshot->registries);
	if (r < 0)
		return NULL;
	*ret_scripts = scripts;
	scripts = (struct script_list){0};
	return snapshot;
}

void snapshot_free(struct rtreg_snapshot *snapshot)
{
	if (snapshot)
		arena_free(snapshot->arena);
}
