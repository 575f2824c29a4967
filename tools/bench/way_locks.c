/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ways to read without liburcu: no protection at all, which is the limit, and the usual ones. Each does what a reader
 * would have to do if a writer could come at any time; none comes.
 */
#include <sched.h>

#include "bench/readers.h"

static inline const struct rtreg_snapshot *raw_begin(struct readers *readers, unsigned thread)
{
	(void)thread;
	return __atomic_load_n(&readers->raw, __ATOMIC_RELAXED);
}

static inline void raw_end(struct readers *readers, unsigned thread)
{
	(void)readers;
	(void)thread;
}

static uintptr_t raw_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, raw_begin, raw_end);
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

static inline const struct rtreg_snapshot *mutex_begin(struct readers *readers, unsigned thread)
{
	pthread_mutex_lock(&readers->mutex);
	return raw_begin(readers, thread);
}

static inline void mutex_end(struct readers *readers, unsigned thread)
{
	(void)thread;
	pthread_mutex_unlock(&readers->mutex);
}

static uintptr_t mutex_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, mutex_begin, mutex_end);
}

static inline const struct rtreg_snapshot *rwlock_begin(struct readers *readers, unsigned thread)
{
	pthread_rwlock_rdlock(&readers->rwlock);
	return raw_begin(readers, thread);
}

static inline void rwlock_end(struct readers *readers, unsigned thread)
{
	(void)thread;
	pthread_rwlock_unlock(&readers->rwlock);
}

static uintptr_t rwlock_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, rwlock_begin, rwlock_end);
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
static inline const struct rtreg_snapshot *spinlock_begin(struct readers *readers, unsigned thread)
{
	for (unsigned turns = 0; __atomic_exchange_n(&readers->spinlock, 1, __ATOMIC_ACQUIRE); turns++)
		while (__atomic_load_n(&readers->spinlock, __ATOMIC_RELAXED)) {
			relax();
			if (++turns % 1024 == 0)
				sched_yield();
		}
	return raw_begin(readers, thread);
}

static inline void spinlock_end(struct readers *readers, unsigned thread)
{
	(void)thread;
	__atomic_store_n(&readers->spinlock, 0, __ATOMIC_RELEASE);
}

static uintptr_t spinlock_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, spinlock_begin, spinlock_end);
}

/* The answer counts if no writer came meanwhile. It does not keep the table in memory: nothing here frees one. */
static uintptr_t seqlock_batch(void *context, unsigned thread, size_t count)
{
	struct readers *readers = context;
	size_t at = readers->places[thread].at;
	uint64_t before;

	for (size_t i = 0; i < count; i++) {
		do {
			before = __atomic_load_n(&readers->sequence, __ATOMIC_ACQUIRE);
			look_up_one(readers, at, raw_begin(readers, thread));
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
		} while (before & 1 || __atomic_load_n(&readers->sequence, __ATOMIC_RELAXED) != before);
		at = next_place(readers, at);
	}
	readers->places[thread].at = at;
	return at;
}

/* What a shared pointer with a count does. */
static inline const struct rtreg_snapshot *counter_begin(struct readers *readers, unsigned thread)
{
	__atomic_fetch_add(&readers->counter, 1, __ATOMIC_ACQUIRE);
	return raw_begin(readers, thread);
}

static inline void counter_end(struct readers *readers, unsigned thread)
{
	(void)thread;
	__atomic_fetch_sub(&readers->counter, 1, __ATOMIC_RELEASE);
}

static uintptr_t counter_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, counter_begin, counter_end);
}

/* The order between the store and the second load is the writer's business: it calls membarrier(2). */
static inline const struct rtreg_snapshot *hazard_begin(struct readers *readers, unsigned thread)
{
	const struct rtreg_snapshot **hazard = &readers->places[thread].hazard;
	const struct rtreg_snapshot *snapshot = raw_begin(readers, thread), *again;

	for (;; snapshot = again) {
		__atomic_store_n(hazard, snapshot, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		again = __atomic_load_n(&readers->raw, __ATOMIC_ACQUIRE);
		if (again == snapshot)
			return snapshot;
	}
}

static inline void hazard_end(struct readers *readers, unsigned thread)
{
	__atomic_store_n(&readers->places[thread].hazard, NULL, __ATOMIC_RELEASE);
}

static uintptr_t hazard_batch(void *context, unsigned thread, size_t count)
{
	return look_up_names(context, thread, count, hazard_begin, hazard_end);
}

const struct way ways_locks[] = {
        {.name = "raw", .help = "a pointer without any protection: the limit", .batch = raw_batch},
        {.name = "raw, no look-up", .help = "the pointer alone", .batch = bare_batch},
        {.name = "hazard pointer", .help = "with membarrier on the writer's side", .batch = hazard_batch},
        {.name = "seqlock", .help = "keeps no table in memory", .batch = seqlock_batch},
        {.name = "shared counter", .help = "atomic additions to one word", .batch = counter_batch},
        {.name = "spinlock", .help = "test and set", .batch = spinlock_batch},
        {.name = "mutex", .help = "pthread_mutex_t", .batch = mutex_batch},
        {.name = "rwlock", .help = "pthread_rwlock_t", .batch = rwlock_batch},
        {0},
};
