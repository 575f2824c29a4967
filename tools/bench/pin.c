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

static uintptr_t shared_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;

	(void)thread;
	for (size_t i = 0; i < count; i++) {
		__atomic_fetch_add(&pins->shared.count, 1, __ATOMIC_ACQUIRE);
		__atomic_fetch_sub(&pins->shared.count, 1, __ATOMIC_RELEASE);
	}
	return 0;
}

/* What is taken is counted in one word, what is returned in another: another thread may return it. */
static uintptr_t striped_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;
	uint64_t *stripe = &pins->stripes[thread % BENCH_PROCESSORS_MAX].count;

	for (size_t i = 0; i < count; i++) {
		__atomic_fetch_add(stripe, 1, __ATOMIC_ACQUIRE);
		__atomic_fetch_sub(stripe, 1, __ATOMIC_RELEASE);
	}
	return 0;
}

static uintptr_t mutex_batch(void *context, unsigned thread, size_t count)
{
	struct pins *pins = context;

	(void)thread;
	for (size_t i = 0; i < count; i++) {
		pthread_mutex_lock(&pins->mutex);
		pins->guarded++;
		pthread_mutex_unlock(&pins->mutex);
		pthread_mutex_lock(&pins->mutex);
		pins->guarded--;
		pthread_mutex_unlock(&pins->mutex);
	}
	return 0;
}

static const struct way ways[] = {
        {.name = "rtreg_pin", .batch = pin_batch},
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
	world_fini(&pins->world);
	free(pins);
}
