/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to read with one flavour of liburcu; compiled once for each. */
#include "bench/flavor.h"
#include "bench/readers.h"

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

static inline const struct rtreg_snapshot *inline_begin(struct readers *readers)
{
	rcu_read_lock();
	return rtreg_borrow(readers->registry);
}

static inline void inline_end(struct readers *readers, const struct rtreg_snapshot *snapshot)
{
	(void)snapshot;
	rtreg_tsan_reader_done(readers->registry);
	rcu_read_unlock();
}

static uintptr_t inline_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, inline_begin, inline_end);
}

const struct rcu_flavor_struct *FLAVOR_(flavor)(void)
{
	return &rcu_flavor;
}

const struct way FLAVOR_(ways)[] = {
        {FLAVOR_NAME ", inline", "what the header inlines", inline_batch, enter, leave},
        {0},
};
