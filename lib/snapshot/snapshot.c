/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot/snapshot.h"

#include <errno.h>
#include <string.h>

static uint64_t table_size(size_t count)
{
	uint64_t size = 8;

	while (size < 2 * (uint64_t)count)
		size *= 2;
	return size;
}

/* At most half full, so a look-up that fails ends soon at an empty slot. */
static int build_table(struct rtreg_snapshot *snapshot)
{
	uint64_t size = table_size(snapshot->runtime_count);
	struct rtreg_slot *slots = arena_alloc_array(snapshot->arena, size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->runtime_count; i++) {
		const struct rtreg_runtime *runtime = &snapshot->runtimes[i].runtime;
		uint64_t hash = rtreg_hash(runtime->name, runtime->name_length);
		uint64_t at = hash & (size - 1);

		while (slots[at].hash != 0)
			at = (at + 1) & (size - 1);
		slots[at] = (struct rtreg_slot){.hash = hash, .runtime = runtime};
	}
	snapshot->head.slots = slots;
	snapshot->head.mask = size - 1;
	return 0;
}

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
		r = build_table(snapshot);
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
