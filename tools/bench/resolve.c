/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `resolve`: how the cost of a look-up grows with the number of runtimes. Asked for are 64 of them again and again, which
 * stay in the caches and show what the table costs; and all of them in turn, which shows what the memory costs.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "bench/readers.h"
#include "bench/threads.h"

#define HOT 64 /* names that are asked for again and again */

/* One size of the configuration. */
struct size {
	struct world world;
	struct readers hot, all;
};

static const size_t sizes[] = {8, 64, 1024, 100000};

/* Each way with the names of one kind: a series of the chart. */
static const struct kind {
	const struct way *way;
	bool all;
} kinds[] = {
        {&ways_locks[0], false}, {&ways_bp[0], false}, {&ways_memb[0], false},
        {&ways_locks[0], true},  {&ways_bp[0], true},
};

static int measure_kind(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct kind *kind = bench_case->context;
	struct size *all = bench->world, *size = all;
	struct work work = {.enter = kind->way->enter, .leave = kind->way->leave, .batch = kind->way->batch};

	while (size->world.count != (size_t)bench_case->x)
		size++;
	work.context = kind->all ? &size->all : &size->hot;
	return measure_threads(bench, &work, 1, ret);
}

static int add_kind(struct bench *bench, const struct kind *kind, size_t count)
{
	const char *names = kind->all ? ", all names" : "";
	struct bench_case added = {
	        .x = (double)count,
	        .measure = measure_kind,
	        .context = kind,
	        .ours = kind->way->flavor,
	};

	bench_name(added.series, "%s%s", kind->way->name, names);
	bench_name(added.name, "%s%s, %zu runtimes", kind->way->name, names, count);
	if (kind->way != kinds->way)
		bench_name(added.reference, "%s%s, %zu runtimes", kinds->way->name, names, count);
	return bench_add(bench, &added);
}

static int size_init(struct size *size, size_t count, struct rtreg_error *error)
{
	int r = world_init(&size->world, count);

	if (r == 0)
		r = world_open(&size->world, flavor_bp(), error);
	if (r == 0)
		r = readers_init(&size->hot, &size->world, count < HOT ? count : HOT, 1);
	return r < 0 ? r : readers_init(&size->all, &size->world, count, 1);
}

/* --runtimes N takes the place of the largest. */
static size_t size_of(const struct bench *bench, size_t index)
{
	const bool last = index + 1 == ARRAY_SIZE(sizes);

	return last && bench->runtimes_given ? bench->runtimes : sizes[index];
}

int bench_resolve_open(struct bench *bench, struct rtreg_error *error)
{
	struct size *all = aligned_alloc(CACHE_LINE, ARRAY_SIZE(sizes) * sizeof(*all));
	int r = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		all[i] = (struct size){0};
	bench->world = all;
	for (size_t i = 0; i < ARRAY_SIZE(sizes) && r == 0; i++) {
		r = size_init(&all[i], size_of(bench, i), error);
		for (size_t j = 0; j < ARRAY_SIZE(kinds) && r == 0; j++)
			r = add_kind(bench, &kinds[j], size_of(bench, i));
	}
	return r;
}

void bench_resolve_close(struct bench *bench)
{
	struct size *all = bench->world;

	if (!all)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		readers_fini(&all[i].hot);
		readers_fini(&all[i].all);
		world_fini(&all[i].world);
	}
	free(all);
}
