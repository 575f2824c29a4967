/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to read without liburcu: no protection at all, which is the limit, and locks. */
#include "bench/readers.h"

static inline const struct rtreg_snapshot *raw_begin(struct readers *readers)
{
	return __atomic_load_n(&readers->raw, __ATOMIC_RELAXED);
}

static inline void raw_end(struct readers *readers, const struct rtreg_snapshot *snapshot)
{
	(void)readers;
	(void)snapshot;
}

static uintptr_t raw_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, raw_begin, raw_end);
}

const struct way ways_locks[] = {
        {"raw", "a pointer without any protection: the limit", raw_batch, NULL, NULL},
        {0},
};
