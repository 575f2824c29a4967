/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `read`: resolve a name in the live configuration, in every way there is, by one reader and by several. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench/churn.h"
#include "bench/threads.h"

#define CHURN_SLICE_NS 5000000 /* five reloads at least */

/*
 * All ways read in one registry, whatever its flavour: on one and the same table. That is sound because nothing is
 * reloaded there; where something is, each flavour has a registry of its own.
 */
struct read_world {
	struct world world;
	struct readers readers;
	struct churn churns[4];
};

static const struct way *const groups[] = {
        ways_locks,    ways_bp,         ways_memb,     ways_mb,         ways_qsbr,
        ways_calls_bp, ways_calls_memb, ways_calls_mb, ways_calls_qsbr,
};
/* The ways of which the first is measured with reloads too, in the order of read_world's churns. */
static const struct way *const reloaded[] = {ways_bp, ways_memb, ways_mb, ways_qsbr};
_Static_assert(ARRAY_SIZE(reloaded) == ARRAY_SIZE(((struct read_world *)0)->churns), "one for each");

static int measure_readers(struct bench *bench, const struct bench_case *bench_case, struct readers *readers,
                           bool wants_mean, double *ret)
{
	const struct way *way = bench_case->context;
	const struct work work = {
	        .enter = way->enter,
	        .leave = way->leave,
	        .batch = way->batch,
	        .context = readers,
	        .wants_mean = wants_mean,
	        .slice_min_ns = wants_mean ? CHURN_SLICE_NS : 0,
	};

	return measure_threads(bench, &work, bench_case->threads, ret);
}

static int measure_way(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct read_world *world = bench->world;

	return measure_readers(bench, bench_case, &world->readers, false, ret);
}

static struct churn *churn_of(const struct bench *bench, const struct bench_case *bench_case)
{
	struct read_world *world = bench->world;

	for (size_t i = 0; i < ARRAY_SIZE(reloaded); i++)
		if (bench_case->context == reloaded[i])
			return &world->churns[i];
	return NULL;
}

static int measure_quiet(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	return measure_readers(bench, bench_case, &churn_of(bench, bench_case)->readers, true, ret);
}

static int measure_reloaded(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct churn *churn = churn_of(bench, bench_case);
	int r = churn_begin(churn, bench_case->threads), ended;

	if (r < 0)
		return r;
	r = measure_readers(bench, bench_case, &churn->readers, true, ret);
	ended = churn_end(churn);
	return r < 0 ? r : ended;
}

static void name_readers(char ret[static BENCH_NAME_SIZE], const char *name, unsigned threads)
{
	if (threads > 1)
		bench_name(ret, "%s, %u readers", name, threads);
	else
		bench_name(ret, "%s", name);
}

/* More lines than these would hide each other: of mb one, and of calls those that differ from the rest. */
static bool is_in_chart(const struct way *way)
{
	return way != &ways_mb[1] && way != &ways_mb[2] && way != ways_calls_mb && way != ways_calls_qsbr;
}

static int add_case(struct bench *bench, const struct way *way, const char *name, const char *reference,
                    unsigned threads, bench_measure_fn measure)
{
	struct bench_case added = {.x = threads,
	                           .threads = threads,
	                           .measure = measure,
	                           .context = way,
	                           .ours = way->flavor != NULL};

	if (measure == measure_way && is_in_chart(way))
		bench_name(added.series, "%s", name);
	name_readers(added.name, name, threads);
	if (strcmp(name, reference) != 0)
		name_readers(added.reference, reference, threads);
	return bench_add(bench, &added);
}

static int add_reloaded(struct bench *bench, const struct way *way, unsigned threads)
{
	char quiet[BENCH_NAME_SIZE], name[BENCH_NAME_SIZE];
	int r;

	bench_name(quiet, "%s, mean", way->name);
	bench_name(name, "%s, reloads", way->name);
	r = add_case(bench, way, quiet, quiet, threads, measure_quiet);
	return r < 0 ? r : add_case(bench, way, name, quiet, threads, measure_reloaded);
}

static int add_cases(struct bench *bench, unsigned threads)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups) && r == 0; i++)
		for (const struct way *way = groups[i]; way->name && r == 0; way++)
			r = add_case(bench, way, way->name, ways_locks->name, threads, measure_way);
	for (size_t i = 0; i < ARRAY_SIZE(reloaded) && r == 0; i++)
		r = add_reloaded(bench, reloaded[i], threads);
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
	for (size_t i = 0; i < ARRAY_SIZE(reloaded) && r == 0; i++)
		r = churn_init(&world->churns[i], bench, reloaded[i]->flavor(), error);
	for (unsigned threads = 1; threads <= bench->readers && r == 0; threads *= 2)
		r = add_cases(bench, threads);
	return r;
}

void bench_read_close(struct bench *bench)
{
	struct read_world *world = bench->world;

	if (!world)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(world->churns); i++)
		churn_fini(&world->churns[i]);
	readers_fini(&world->readers);
	world_fini(&world->world);
	free(world);
}
