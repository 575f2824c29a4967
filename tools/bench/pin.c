/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `pin`: keep the live snapshot and give it back, beside the usual ways to count who uses something. */
#include <errno.h>

#include "base/cleanup.h"
#include "bench/readers.h"
#include "bench/threads.h"

/* A count that no other thread's is beside. */
struct stripe {
	uint64_t count;
} __attribute__((aligned(CACHE_LINE)));

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what threads write must not lie together */
struct pins {
	struct world world;
	struct stripe stripes[BENCH_PROCESSORS_MAX];
	struct stripe shared;
	const struct rtreg_snapshot *published __attribute__((aligned(CACHE_LINE)));
	bool retired;
	pthread_mutex_t mutex;
	uint64_t guarded __attribute__((aligned(CACHE_LINE)));
};

static uintptr_t pin_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;
	uintptr_t sum = 0;

	(void)thread;
	for (size_t i = 0; i < count; i++) {
		const struct rtreg_snapshot *snapshot = rtreg_pin(pins->world.registry);

		sum += (uintptr_t)snapshot;
		rtreg_unpin(snapshot);
	}
	return sum;
}

static uintptr_t call_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;
	uintptr_t sum = 0;

	(void)thread;
	for (size_t i = 0; i < count; i++) {
		const struct rtreg_snapshot *snapshot = (rtreg_pin)(pins->world.registry);

		sum += (uintptr_t)snapshot;
		(rtreg_unpin)(snapshot);
	}
	return sum;
}

/*
 * What the alternatives have to do besides counting, as rtreg_pin() has: find the live snapshot, and when it is given
 * back see whether somebody waits for the last one.
 */
static inline const struct rtreg_snapshot *live(const struct pins *pins)
{
	return __atomic_load_n(&pins->published, __ATOMIC_RELAXED);
}

static inline void returned(struct pins *pins, bool last)
{
	if (last && __atomic_load_n(&pins->retired, __ATOMIC_ACQUIRE))
		__atomic_store_n(&pins->retired, false, __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) uintptr_t count_in(struct pins *pins, uint64_t *count,
                                                                size_t times)
{
	uintptr_t sum = 0;

	for (size_t i = 0; i < times; i++) {
		__atomic_fetch_add(count, 1, __ATOMIC_ACQUIRE);
		sum += (uintptr_t)live(pins);
		returned(pins, __atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL) == 0);
	}
	return sum;
}

static uintptr_t shared_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;

	(void)thread;
	return count_in(pins, &pins->shared.count, count);
}

static uintptr_t striped_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;

	return count_in(pins, &pins->stripes[thread % BENCH_PROCESSORS_MAX].count, count);
}

static uintptr_t mutex_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;
	uintptr_t sum = 0;
	bool last;

	(void)thread;
	for (size_t i = 0; i < count; i++) {
		pthread_mutex_lock(&pins->mutex);
		pins->guarded++;
		sum += (uintptr_t)live(pins);
		pthread_mutex_unlock(&pins->mutex);
		pthread_mutex_lock(&pins->mutex);
		last = --pins->guarded == 0;
		pthread_mutex_unlock(&pins->mutex);
		returned(pins, last);
	}
	return sum;
}

static const struct way ways[] = {
        {.name = "rtreg_pin", .batch = pin_batch},
        {.name = "rtreg_pin, two calls", .batch = call_batch},
        {.name = "striped additions", .batch = striped_batch},
        {.name = "shared counter", .batch = shared_batch},
        {.name = "mutex", .batch = mutex_batch},
};

static int measure_way(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct way *way = bench_case->context;
	const struct work work = {.batch = way->batch, .context = bench->world};

	return measure_threads(bench, &work, bench_case->threads, ret);
}

static int add_way(struct bench *bench, const struct way *way, unsigned threads)
{
	struct bench_case added = {
	        .x = threads,
	        .threads = threads,
	        .measure = measure_way,
	        .context = way,
	        .ours = way == ways,
	};

	bench_name(added.series, "%s", way->name);
	bench_name(added.name, "%s, %u thread%s", way->name, threads, threads > 1 ? "s" : "");
	if (way->batch != shared_batch)
		bench_name(added.reference, "shared counter, %u thread%s", threads, threads > 1 ? "s" : "");
	return bench_add(bench, &added);
}

int bench_pin_open(struct bench *bench, struct rtreg_error *error)
{
	struct pins *pins = aligned_alloc(CACHE_LINE, sizeof(*pins));
	int r;

	if (!pins)
		return -ENOMEM;
	*pins = (struct pins){0};
	pthread_mutex_init(&pins->mutex, NULL);
	bench->world = pins;
	r = world_init(&pins->world, bench->runtimes);
	if (r == 0)
		r = world_open(&pins->world, flavor_bp(), error);
	if (r == 0)
		pins->published = rtreg_pin(pins->world.registry);
	for (unsigned threads = 1; threads <= bench->readers && r == 0; threads *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(ways) && r == 0; i++)
			r = add_way(bench, &ways[i], threads);
	return r;
}

void bench_pin_close(struct bench *bench)
{
	struct pins *pins = bench->world;

	if (!pins)
		return;
	rtreg_unpin(pins->published);
	world_fini(&pins->world);
	free(pins);
}
