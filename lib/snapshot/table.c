/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hash table of a snapshot's runtimes, in which rtreg_find() looks (docs/read.md). */
#include <errno.h>

#include "snapshot/snapshot.h"

/* So that none lies in two cache lines. */
#define SLOT_ALIGNMENT sizeof(struct rtreg_slot)

/* At most half full: a look-up is over after a slot or two, and one that fails soon comes to an empty slot. */
static uint64_t table_size(size_t count)
{
	uint64_t size = 8;

	while (size < 2 * (uint64_t)count)
		size *= 2;
	return size;
}

static struct rtreg_slot *slots_new(struct arena *arena, uint64_t size)
{
	uintptr_t memory = (uintptr_t)arena_alloc_array(arena, size + 1, sizeof(struct rtreg_slot));

	if (!memory)
		return NULL;
	return (struct rtreg_slot *)((memory + SLOT_ALIGNMENT - 1) & ~(uintptr_t)(SLOT_ALIGNMENT - 1));
}

int table_build(struct rtreg_snapshot *snapshot)
{
	uint64_t size = table_size(snapshot->runtime_count);
	struct rtreg_slot *slots = slots_new(snapshot->arena, size);

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->runtime_count; i++) {
		const struct rtreg_runtime *runtime = &snapshot->runtimes[i].runtime;
		struct rtreg_words words = rtreg_words(runtime->name, runtime->name_length);
		uint64_t at = rtreg_hash_words(runtime->name, runtime->name_length, words) & (size - 1);

		while (slots[at].runtime)
			at = (at + 1) & (size - 1);
		slots[at] = (struct rtreg_slot){.words = words, .runtime = runtime};
	}
	snapshot->head.slots = slots;
	snapshot->head.mask = size - 1;
	return 0;
}
