/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to read with one flavour of liburcu; compiled once for each, and once more without its inlined functions. */
#include "bench/flavor.h"
#include "bench/readers.h"

#ifdef FLAVOR_CALLS
#define HOW "calls"
#else
#define HOW "inline"
#endif

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

static uintptr_t section_batch(void *context, unsigned thread, size_t count)
{
	uintptr_t sum = 0;

	for (size_t part; count > 0; count -= part) {
		part = part_of(count);
		sum += look_up_names(context, thread, part, section_begin, look_up_one, section_end);
	}
	return sum;
}

#ifndef FLAVOR_CALLS
static uintptr_t prepared_batch(void *context, unsigned thread, size_t count)
{
	uintptr_t sum = 0;

	for (size_t part; count > 0; count -= part) {
		part = part_of(count);
		sum += look_up_names(context, thread, part, section_begin, look_up_prepared, section_end);
	}
	return sum;
}
#endif

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
        {
                .name = FLAVOR_NAME ", " HOW,
                .help = "liburcu's " FLAVOR_NAME,
                .batch = section_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
#ifndef FLAVOR_CALLS
        {
                .name = FLAVOR_NAME ", prepared",
                .help = "liburcu's " FLAVOR_NAME ", with a name whose hash is taken already",
                .batch = prepared_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
#endif
        {0},
};
