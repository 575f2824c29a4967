/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One of liburcu's flavours, chosen with -DFLAVOR_BP, _MEMB, _MB or _QSBR, behind one set of names; and rtreg
 * on top. A reader section of a test is reader_begin() … reader_end(registry); the latter gives the thread
 * sanitizer the edge that a stock liburcu does not (docs/concurrency.md).
 */
#ifndef RTREG_TEST_FLAVOR_H
#define RTREG_TEST_FLAVOR_H

#if defined(FLAVOR_BP)
#include <urcu-bp.h>
#define FLAVOR_NAME "bp"
#elif defined(FLAVOR_QSBR)
#include <urcu-qsbr.h>
#define FLAVOR_NAME "qsbr"
#elif defined(FLAVOR_MB)
#define RCU_MB
#include <urcu.h>
#define FLAVOR_NAME "mb"
#elif defined(FLAVOR_MEMB)
#include <urcu.h>
#define FLAVOR_NAME "memb"
#else
#error "choose a flavour"
#endif

#include <rtreg/rtreg.h>

static inline void reader_begin(void)
{
	rcu_read_lock();
}

/* In qsbr a section ends with a quiescent state. */
static inline void reader_end(struct rtreg *registry)
{
	rtreg_tsan_reader_done(registry);
	rcu_read_unlock();
#ifdef FLAVOR_QSBR
	rcu_quiescent_state();
#endif
}

#endif
