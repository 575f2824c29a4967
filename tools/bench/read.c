/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `read`: resolve a name in the live configuration, in every way there is, by one reader and by several. */
#include <errno.h>

#include "base/cleanup.h"
#include "bench/readers.h"
#include "bench/threads.h"

struct read_world {
	struct world world;
	struct readers readers;
};

static const struct way *const groups[] = {ways_locks, ways_bp, ways_memb, ways_mb, ways_qsbr};

static int measure_way(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct way *way = bench_case->context;
	struct read_world *world = bench->world;
	const struct work work = {
	        .enter = way->enter,
	        .leave = way->leave,
	        .batch = way->batch,
	        .context = &world->readers,
	};

	return measure_threads(bench, &work, bench_case->threads, ret);
}

static int add_way(struct bench *bench, const struct way *way, unsigned threads)
{
	struct bench_case added = {
	        .x = threads,
	        .threads = threads,
	        .measure = measure_way,
	        .context = way,
	};

	bench_name(added.series, "%s", way->name);
	bench_name(added.name, threads > 1 ? "%s, %u readers" : "%s", way->name, threads);
	if (way != &ways_locks[0])
		bench_name(added.reference, threads > 1 ? "raw, %u readers" : "raw", threads);
	return bench_add(bench, &added);
}

static int add_ways(struct bench *bench)
{
	int r = 0;

	for (unsigned threads = 1; threads <= bench->readers && r == 0; threads *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(groups) && r == 0; i++)
			for (const struct way *way = groups[i]; way->name && r == 0; way++)
				r = add_way(bench, way, threads);
	return r;
}

int bench_read_open(struct bench *bench, struct rtreg_error *error)
{
	struct read_world *world = aligned_alloc(CACHE_LINE, sizeof(*world));
	int r;

	if (!world)
		return -ENOMEM;
	*world = (struct read_world){0};
	bench->world = world;
	r = world_init(&world->world, bench->runtimes);
	if (r == 0)
		r = world_open(&world->world, flavor_bp(), error);
	if (r == 0)
		r = readers_init(&world->readers, &world->world, bench->runtimes, bench->readers);
	return r < 0 ? r : add_ways(bench);
}

void bench_read_close(struct bench *bench)
{
	struct read_world *world = bench->world;

	if (!world)
		return;
	readers_fini(&world->readers);
	world_fini(&world->world);
	free(world);
}
