/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store with a flavour of liburcu that is the test's own: grace periods end when the test says so. A
 * snapshot's arena is made by arena_new(), so the address sanitizer sees one that is used after it was freed,
 * or never freed. setup() and teardown() are a checked fixture.
 */
#ifndef RTREG_TEST_PLAYED_STORE_H
#define RTREG_TEST_PLAYED_STORE_H

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "store/store.h"

/* --- the flavour --- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static unsigned long begun, allowed; /* grace periods */
static bool open_for_all;

static inline void synchronize(void)
{
	pthread_mutex_lock(&gate);
	begun++;
	pthread_cond_broadcast(&moved);
	while (!open_for_all && allowed == 0)
		pthread_cond_wait(&moved, &gate);
	if (!open_for_all)
		allowed--;
	pthread_mutex_unlock(&gate);
}

static inline int never_ongoing(void)
{
	return 0;
}

static const struct rcu_flavor_struct flavor = {
        .update_synchronize_rcu = synchronize,
        .read_ongoing = never_ongoing,
};

static inline void allow(unsigned long more)
{
	pthread_mutex_lock(&gate);
	allowed += more;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&gate);
}

static inline void allow_all(void)
{
	pthread_mutex_lock(&gate);
	open_for_all = true;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&gate);
}

static inline void wait_until_begun(unsigned long count)
{
	pthread_mutex_lock(&gate);
	while (begun < count)
		pthread_cond_wait(&moved, &gate);
	pthread_mutex_unlock(&gate);
}

/* --- the store. The registry is more than a store, but pins see no more of it. --- */

static struct store store;
static struct statistics statistics;
static struct rtreg *const registry = (struct rtreg *)(void *)&store;

static inline void publish(uint64_t generation)
{
	struct arena *arena = arena_new();
	struct rtreg_snapshot *snapshot = arena_alloc(arena, sizeof(*snapshot));

	snapshot->arena = arena;
	snapshot->head.generation = generation;
	ck_assert_int_eq(store_prepare(&store, snapshot), 0);
	store_retire(&store, store_publish(&store, snapshot));
}

static inline void setup(void)
{
	ck_assert_int_eq(store_init(&store, &flavor, &statistics), 0);
	publish(1);
}

static inline void teardown(void)
{
	allow_all();
	store_fini(&store);
}

struct counts {
	size_t waiting, passing, held;
};

static inline struct counts count(void)
{
	struct counts counts;

	pthread_mutex_lock(&store.lock);
	counts = (struct counts){store.waiting.count, store.passing.count, store.held.count};
	pthread_mutex_unlock(&store.lock);
	return counts;
}

/* Waits for the reclaimer, which nothing else tells of. */
static inline void wait_for(size_t waiting, size_t passing, size_t held)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	struct counts counts = count();

	for (int i = 0; i < 5000; i++, counts = count()) {
		if (counts.waiting == waiting && counts.passing == passing && counts.held == held)
			return;
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("%zu waiting, %zu passing, %zu held", counts.waiting, counts.passing, counts.held);
}

#endif
