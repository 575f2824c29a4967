/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to read with one flavour of liburcu; compiled once for each, and once more without its inlined functions. */
#include "bench/flavor.h"
#include "bench/readers.h"

#ifdef FLAVOR_QSBR
#define SECTIONS 64 /* between two quiescent states */
#endif

static void enter(void *readers)
{
	(void)readers;
	rcu_register_thread();
}

static void leave(void *readers)
{
	(void)readers;
	rcu_unregister_thread();
}

static inline const struct rtreg_snapshot *section_begin(const struct reading *reading)
{
	rcu_read_lock();
	return rtreg_borrow(reading->registry);
}

static inline void section_end(const struct reading *reading)
{
	rtreg_tsan_reader_done(reading->registry);
	rcu_read_unlock();
}

/* What stands between two quiescent states of a thread in qsbr, or all of it. */
static size_t part_of(size_t count)
{
#ifdef FLAVOR_QSBR
	rcu_quiescent_state();
	return count < SECTIONS ? count : SECTIONS;
#else
	return count;
#endif
}

static inline __attribute__((always_inline)) uintptr_t look_up_in_parts(
        void *context, unsigned thread, size_t count,
        void (*one)(const struct reading *, size_t, const struct rtreg_snapshot *))
{
	uintptr_t sum = 0;

	for (size_t part; count > 0; count -= part) {
		part = part_of(count);
		sum += look_up_names(context, thread, part, section_begin, one, section_end);
	}
	return sum;
}

#ifndef FLAVOR_CALLS
static uintptr_t inline_batch(void *context, unsigned thread, size_t count)
{
	return look_up_in_parts(context, thread, count, look_up_one);
}

static uintptr_t prepared_batch(void *context, unsigned thread, size_t count)
{
	return look_up_in_parts(context, thread, count, look_up_prepared);
}
#endif

/* What the library borrows is not used here; a load that is in the cache costs nothing beside the call. */
static inline void look_up_live(const struct reading *reading, size_t at,
                                const struct rtreg_snapshot *snapshot)
{
	const struct world_name *name = &reading->names[at];
	struct rtreg_runtime runtime;

	(void)snapshot;
	if (rtreg_resolve_live_len(reading->registry, name->text, name->length, &runtime, NULL) == 0)
		keep(&runtime);
}

static uintptr_t live_batch(void *context, unsigned thread, size_t count)
{
	return look_up_in_parts(context, thread, count, look_up_live);
}

static const struct rcu_flavor_struct *flavor(void)
{
	return &rcu_flavor;
}

#ifndef FLAVOR_CALLS
const struct rcu_flavor_struct *FLAVOR_(flavor)(void)
{
	return flavor();
}
#endif

const struct way FLAVOR_(ways)[] = {
#ifdef FLAVOR_CALLS
        {
                .name = FLAVOR_NAME ", three calls",
                .help = "for languages that inline nothing",
                .batch = live_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
#else
        {
                .name = FLAVOR_NAME ", inline",
                .help = "what the header inlines",
                .batch = inline_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
        {
                .name = FLAVOR_NAME ", prepared",
                .help = "the same with a name whose hash is taken already",
                .batch = prepared_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
        {
                .name = FLAVOR_NAME ", one call",
                .help = "a section that is inlined, and one call into the library",
                .batch = live_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
#endif
        {0},
};
