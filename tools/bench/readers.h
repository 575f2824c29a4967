/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the ways to read have in common. A way protects a snapshot between begin() and end(); what is done in between, and
 * the order in which names are asked for, are the same for all, on the same table.
 */
#ifndef RTREG_BENCH_READERS_H
#define RTREG_BENCH_READERS_H

#include <pthread.h>

#include "bench/bench.h"
#include "bench/world.h"

#define CACHE_LINE 128 /* two: processors fetch them in pairs */

/* What a thread has for itself: where it is in the names, and its hazard pointer. */
struct reader_place {
	size_t at;
	const struct rtreg_snapshot *hazard;
} __attribute__((aligned(CACHE_LINE)));

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what threads write must not lie together */
struct readers {
	struct rtreg *registry;
	const struct world_name *names;    /* in the order in which they are asked for */
	const struct rtreg_name *prepared; /* the same, prepared */
	size_t count;
	struct reader_place *places; /* one for each thread */
	/* the same snapshot under each of the alternatives */
	const struct rtreg_snapshot *raw __attribute__((aligned(CACHE_LINE)));
	pthread_mutex_t mutex __attribute__((aligned(CACHE_LINE)));
	pthread_rwlock_t rwlock __attribute__((aligned(CACHE_LINE)));
	int spinlock __attribute__((aligned(CACHE_LINE)));
	uint64_t sequence __attribute__((aligned(CACHE_LINE)));
	uint64_t counter __attribute__((aligned(CACHE_LINE)));
};

/* Makes them, on a world whose registry is open; they ask for `count` of its names. -ENOMEM. */
int readers_init(struct readers *readers, const struct world *world, size_t count, unsigned threads);
void readers_fini(struct readers *readers);

/* A way to read; `batch` is a work's (threads.h), with a struct readers as its context. */
struct way {
	const char *name;
	const char *help;
	uintptr_t (*batch)(void *readers, unsigned thread, size_t count);
	void (*enter)(void *readers);
	void (*leave)(void *readers);
	const struct rcu_flavor_struct *(*flavor)(void); /* NULL: no reload may come meanwhile */
};

/* One file compiled once for each flavour (way_flavor.c). */
extern const struct way ways_bp[], ways_memb[], ways_mb[], ways_qsbr[];
/* The same without _LGPL_SOURCE: the beginning and the end of a section are calls, too. */
extern const struct way ways_calls_bp[], ways_calls_memb[], ways_calls_mb[], ways_calls_qsbr[];
const struct rcu_flavor_struct *flavor_bp(void), *flavor_memb(void), *flavor_mb(void), *flavor_qsbr(void);
/* Without liburcu (way_locks.c). */
extern const struct way ways_locks[];

/* Whoever asks gets the whole answer: for the compiler it is read here. */
static inline __attribute__((always_inline)) void keep(const struct rtreg_runtime *runtime)
{
	__asm__ volatile("" : : "r"(runtime) : "memory");
}

/* What a batch works with, in registers. */
struct reading {
	struct readers *readers;
	struct rtreg *registry;
	const struct world_name *names;
	const struct rtreg_name *prepared;
	unsigned thread;
};

static inline __attribute__((always_inline)) void look_up_one(const struct reading *reading, size_t at,
                                                              const struct rtreg_snapshot *snapshot)
{
	const struct world_name *name = &reading->names[at];
	struct rtreg_runtime runtime;

	if (rtreg_resolve_len(snapshot, name->text, name->length, &runtime, NULL) == 0)
		keep(&runtime);
}

static inline __attribute__((always_inline)) void look_up_prepared(const struct reading *reading, size_t at,
                                                                   const struct rtreg_snapshot *snapshot)
{
	struct rtreg_runtime runtime;

	if (rtreg_resolve_name(snapshot, &reading->prepared[at], &runtime, NULL) == 0)
		keep(&runtime);
}

/*
 * `count` look-ups in a snapshot that `begin` gives. Inlined into each way, with its three functions: what is measured
 * should not be a call.
 */
static inline __attribute__((always_inline)) uintptr_t look_up_names(
        struct readers *readers, unsigned thread, size_t count,
        const struct rtreg_snapshot *(*begin)(const struct reading *),
        void (*one)(const struct reading *, size_t, const struct rtreg_snapshot *),
        void (*end)(const struct reading *))
{
	const struct reading reading = {
	        .readers = readers,
	        .registry = readers->registry,
	        .names = readers->names,
	        .prepared = readers->prepared,
	        .thread = thread,
	};
	size_t at = readers->places[thread].at, part;

	for (; count > 0; count -= part) {
		part = readers->count - at < count ? readers->count - at : count;
		for (size_t end_at = at + part; at < end_at; at++) {
			one(&reading, at, begin(&reading));
			end(&reading);
		}
		at = at < readers->count ? at : 0;
	}
	readers->places[thread].at = at;
	return at;
}

#endif
