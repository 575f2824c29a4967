/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that the library does with liburcu, but for the inline borrow: publishing, grace periods, telling what
 * kind of thread is calling, and the edges that a thread sanitizer needs because a stock liburcu is not
 * instrumented.
 */
#ifndef RTREG_STORE_RCU_H
#define RTREG_STORE_RCU_H

#include <errno.h>
#include <stdbool.h>

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE
#endif
#include <urcu/flavor.h>
#include <urcu/pointer.h>

#include "rtreg/rtreg.h"

#ifdef RTREG_TSAN
/* rcu_assign_pointer(), visible to the sanitizer. */
#define rcu_publish(pointer, value) __atomic_store_n(&(pointer), (value), __ATOMIC_RELEASE)
#define tsan_acquire(flavor)        __tsan_acquire(rtreg_tsan_token(flavor))
#define tsan_release(flavor)        __tsan_release(rtreg_tsan_token(flavor))
#else
#define rcu_publish(pointer, value) rcu_assign_pointer(pointer, value)
#define tsan_acquire(flavor)        ((void)(flavor))
#define tsan_release(flavor)        ((void)(flavor))
#endif

/*
 * What a function that may block does first and last. In a reader section of memb, mb or bp: -EDEADLK. A qsbr
 * thread goes offline, for it would stall every grace period while it blocks, and comes online again in
 * blocking_end(). `flavor` NULL: a thread that is in no section.
 */
static inline int blocking_begin(const struct rcu_flavor_struct *flavor, bool *ret_offline)
{
	*ret_offline = false;
	if (!flavor || !flavor->read_ongoing())
		return 0;
	tsan_release(flavor);
	flavor->thread_offline(); /* ends "ongoing" in qsbr, does nothing in the others */
	if (flavor->read_ongoing())
		return -EDEADLK;
	*ret_offline = true;
	return 0;
}

static inline void blocking_end(const struct rcu_flavor_struct *flavor, bool offline)
{
	if (offline)
		flavor->thread_online();
}

#endif
