/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ways to read without liburcu: no protection at all, which is the limit, and the usual ones. Each does what a reader
 * would have to do if a writer could come at any time; none comes.
 */
#include <sched.h>

#include "bench/readers.h"

static inline const struct rtreg_snapshot *raw_begin(const struct reading *reading)
{
	return __atomic_load_n(&reading->readers->raw, __ATOMIC_RELAXED);
}

static inline void raw_end(const struct reading *reading)
{
	(void)reading;
}

static uintptr_t raw_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, raw_begin, look_up_one, raw_end);
}

static uintptr_t prepared_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, raw_begin, look_up_prepared, raw_end);
}

static uintptr_t bare_batch(void *context, unsigned thread, size_t count)
{
	struct readers *readers = context;
	uintptr_t sum = 0;

	(void)thread;
	for (size_t i = 0; i < count; i++)
		sum += (uintptr_t)__atomic_load_n(&readers->raw, __ATOMIC_RELAXED);
	return sum;
}

static inline const struct rtreg_snapshot *mutex_begin(const struct reading *reading)
{
	pthread_mutex_lock(&reading->readers->mutex);
	return raw_begin(reading);
}

static inline void mutex_end(const struct reading *reading)
{
	pthread_mutex_unlock(&reading->readers->mutex);
}

static uintptr_t mutex_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, mutex_begin, look_up_one, mutex_end);
}

static inline const struct rtreg_snapshot *rwlock_begin(const struct reading *reading)
{
	pthread_rwlock_rdlock(&reading->readers->rwlock);
	return raw_begin(reading);
}

static inline void rwlock_end(const struct reading *reading)
{
	pthread_rwlock_unlock(&reading->readers->rwlock);
}

static uintptr_t rwlock_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, rwlock_begin, look_up_one, rwlock_end);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("" : : : "memory");
#endif
}

/* Whoever holds it may have lost the processor: after a while the others give theirs. */
static inline const struct rtreg_snapshot *spinlock_begin(const struct reading *reading)
{
	for (unsigned turns = 0; __atomic_exchange_n(&reading->readers->spinlock, 1, __ATOMIC_ACQUIRE);
	     turns++)
		while (__atomic_load_n(&reading->readers->spinlock, __ATOMIC_RELAXED)) {
			relax();
			if (++turns % 1024 == 0)
				sched_yield();
		}
	return raw_begin(reading);
}

static inline void spinlock_end(const struct reading *reading)
{
	__atomic_store_n(&reading->readers->spinlock, 0, __ATOMIC_RELEASE);
}

static uintptr_t spinlock_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, spinlock_begin, look_up_one, spinlock_end);
}

/* The answer counts if no writer came meanwhile. It does not keep the table in memory: nothing here frees one. */
static inline void seqlock_one(const struct reading *reading, size_t at,
                               const struct rtreg_snapshot *snapshot)
{
	const uint64_t *sequence = &reading->readers->sequence;
	uint64_t before;

	do {
		before = __atomic_load_n(sequence, __ATOMIC_ACQUIRE);
		look_up_one(reading, at, snapshot);
#ifndef RTREG_TSAN /* which knows no fences; what is read between the two loads never changes here */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
	} while (before & 1 || __atomic_load_n(sequence, __ATOMIC_RELAXED) != before);
}

static uintptr_t seqlock_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, raw_begin, seqlock_one, raw_end);
}

/* What a shared pointer with a count does. */
static inline const struct rtreg_snapshot *counter_begin(const struct reading *reading)
{
	__atomic_fetch_add(&reading->readers->counter, 1, __ATOMIC_ACQUIRE);
	return raw_begin(reading);
}

static inline void counter_end(const struct reading *reading)
{
	__atomic_fetch_sub(&reading->readers->counter, 1, __ATOMIC_RELEASE);
}

static uintptr_t counter_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, counter_begin, look_up_one, counter_end);
}

/* The order between the store and the second load is the writer's business: it calls membarrier(2). */
static inline const struct rtreg_snapshot *hazard_begin(const struct reading *reading)
{
	const struct rtreg_snapshot **hazard = &reading->readers->places[reading->thread].hazard;
	const struct rtreg_snapshot *snapshot = raw_begin(reading), *again;

	for (;; snapshot = again) {
		__atomic_store_n(hazard, snapshot, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		again = __atomic_load_n(&reading->readers->raw, __ATOMIC_ACQUIRE);
		if (again == snapshot)
			return snapshot;
	}
}

static inline void hazard_end(const struct reading *reading)
{
	__atomic_store_n(&reading->readers->places[reading->thread].hazard, NULL, __ATOMIC_RELEASE);
}

static uintptr_t hazard_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, hazard_begin, look_up_one, hazard_end);
}

const struct way ways_locks[] = {
        {.name = "raw", .help = "a pointer without any protection: the limit", .batch = raw_batch},
        {.name = "raw, no look-up", .help = "the pointer alone", .batch = bare_batch},
        {.name = "raw, prepared", .help = "with a name whose hash is taken already", .batch = prepared_batch},
        {.name = "hazard pointer", .help = "with membarrier on the writer's side", .batch = hazard_batch},
        {.name = "seqlock", .help = "keeps no table in memory", .batch = seqlock_batch},
        {.name = "shared counter", .help = "atomic additions to one word", .batch = counter_batch},
        {.name = "spinlock", .help = "test and set", .batch = spinlock_batch},
        {.name = "mutex", .help = "pthread_mutex_t", .batch = mutex_batch},
        {.name = "rwlock", .help = "pthread_rwlock_t", .batch = rwlock_batch},
        {0},
};
