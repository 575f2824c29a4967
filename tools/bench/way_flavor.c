/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to read with one flavour of liburcu; compiled once for each, and once more without its inlined functions. */
#include "bench/flavor.h"
#include "bench/readers.h"

#ifdef FLAVOR_CALLS
#define HOW "calls"
#else
#define HOW "inline"
#endif

#define SECTIONS 64 /* between two quiescent states in qsbr */

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

static inline const struct rtreg_snapshot *section_begin(struct readers *readers, unsigned thread)
{
	(void)thread;
	rcu_read_lock();
	return rtreg_borrow(readers->registry);
}

static inline void section_end(struct readers *readers, unsigned thread)
{
	(void)thread;
	rtreg_tsan_reader_done(readers->registry);
	rcu_read_unlock();
}

static uintptr_t section_batch(void *context, unsigned thread, size_t count)
{
#ifdef FLAVOR_QSBR
	size_t left = count;

	for (; left > SECTIONS; left -= SECTIONS) {
		look_up_names(context, thread, SECTIONS, section_begin, section_end);
		rcu_quiescent_state();
	}
	count = left;
#endif
	return look_up_names(context, thread, count, section_begin, section_end);
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
        {
                .name = FLAVOR_NAME ", " HOW,
                .help = "liburcu's " FLAVOR_NAME,
                .batch = section_batch,
                .enter = enter,
                .leave = leave,
                .flavor = flavor,
        },
        {0},
};
