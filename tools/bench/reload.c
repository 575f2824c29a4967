/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `reload`: what a reload costs whoever asks for it, with 100 to 100,000 runtimes that have wrapper scripts; the first load
 * of a thousand of them beside the same files written without care; the memory; and what a reader notices.
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench/readers.h"
#include "bench/threads.h"
#include "bench/wrapped.h"

#define FIRST_LOAD 1000
/* Runtimes that are reloaded while the reader reads, where the largest site has as many. */
#define SEEN_BY     10000
#define ROUNDS_MAX  25    /* a round makes thousands of files */
#define ROUNDS_FEW  3     /* in the short form */
#define LATENCY_MAX 65536 /* ns; what took longer counts as this */

static const size_t sizes[] = {100, 1000, 10000, 100000};

/* A registry with `count` wrapped runtimes. */
struct site {
	struct world world;
	unsigned long label, added;
	double file, kept, most; /* bytes; the latter two are the largest site's alone */
};

struct reloads {
	struct readers readers;
	struct site sites[ARRAY_SIZE(sizes)];
	size_t count; /* sites that are used */
	struct site seen;
	struct text configurations[2];
	struct world *loads; /* a new one for each first load; their directories go at the end */
	size_t load_count;
	struct bare_files bare;
	size_t bare_count;
	pthread_t writer;
	atomic_bool stop;
	uint32_t latencies[LATENCY_MAX + 1];
};

/* --- sites --- */

static int reload(struct site *site, size_t count, unsigned long added, double *ret)
{
	int r = wrapped_write(&site->world, count, ++site->label, added, NULL);
	int64_t began_ns = bench_now_ns();

	if (r == 0)
		r = rtreg_reload(site->world.registry, NULL, 0, NULL, NULL);
	if (ret)
		*ret = (double)(bench_now_ns() - began_ns);
	return r;
}

/* The second reload is the first that finds all as it is from then on. */
static int site_init(struct site *site, size_t count, struct rtreg_error *error)
{
	size_t size = 0;
	int r = world_init(&site->world, count);
	double before = memory_now(); /* with the names, which are ours */

	if (r == 0)
		r = wrapped_write(&site->world, count, 0, 0, &size);
	memory_reset();
	if (r == 0)
		r = world_open(&site->world, flavor_bp(), error);
	for (int i = 0; r == 0 && i < 2; i++) {
		r = reload(site, count, 0, NULL);
		usleep(50000); /* until the superseded snapshot is freed, after a grace period */
	}
	site->file = (double)size;
	malloc_trim(0); /* as rtregd does */
	site->kept = memory_now() - before;
	site->most = memory_most() - before;
	return r;
}

/* --- one label, one runtime --- */

static struct site *site_of(const struct bench *bench, const struct bench_case *bench_case)
{
	struct reloads *reloads = bench->world;

	return &reloads->sites[*(const size_t *)bench_case->context];
}

static int measure_label(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct site *site = site_of(bench, bench_case);

	return reload(site, site->world.count, 0, ret);
}

/* A name that was never there: what was, has its script still. */
static int measure_added(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct site *site = site_of(bench, bench_case);
	int r = reload(site, site->world.count, ++site->added, ret);

	return r < 0 ? r : reload(site, site->world.count, 0, NULL);
}

/* --- the first load --- */

static int measure_first_load(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct reloads *reloads = bench->world;
	struct site site = {0};
	int r = world_init(&site.world, FIRST_LOAD);

	(void)bench_case;
	if (r == 0)
		r = wrapped_write(&site.world, 0, 0, 1, NULL);
	if (r == 0)
		r = world_open(&site.world, flavor_bp(), NULL);
	if (r == 0)
		r = reload(&site, FIRST_LOAD, 1, ret);
	rtreg_close(site.world.registry);
	site.world.registry = NULL;
	reloads->loads[reloads->load_count++] = site.world;
	return r;
}

/* One load that is not counted, for its files. */
static int first_load_read(struct bench *bench, struct reloads *reloads)
{
	double took;
	int r = measure_first_load(bench, NULL, &took);

	return r < 0 ? r : bare_files_read(&reloads->loads[0], &reloads->bare);
}

static int measure_bare_writes(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct reloads *reloads = bench->world;
	_cleanup_text_ struct text path = {0};
	int64_t began_ns;
	int r = reloads->bare.files ? 0 : first_load_read(bench, reloads);

	(void)bench_case;
	if (r < 0)
		return r;
	text_printf(&path, "%s/bare-%zu", reloads->loads[0].directory, reloads->bare_count++);
	began_ns = bench_now_ns();
	r = path.failed ? -ENOMEM : bare_files_write(&reloads->bare, path.data);
	*ret = (double)(bench_now_ns() - began_ns);
	return r;
}

/* --- memory --- */

static int measure_memory(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct reloads *reloads = bench->world;
	const struct site *largest = &reloads->sites[reloads->count - 1];

	*ret = *(const double *)((const char *)largest + *(const size_t *)bench_case->context);
	return 0;
}

/* --- what a reader notices --- */

enum meanwhile {
	NOTHING,
	OTHER_WORK, /* that touches as much memory, and has nothing to do with the registry */
	RELOADS,
};

static void *work_all_the_time(void *argument)
{
	struct bench *bench = argument;
	struct reloads *reloads = bench->world;

	thread_pin_to(bench, bench->processors - 1);
	while (!atomic_load(&reloads->stop)) {
		_cleanup_text_ struct text text = {0};

		if (wrapped_configuration(&reloads->seen.world, reloads->seen.world.count, 0, 0, &text) < 0)
			break;
	}
	return NULL;
}

static void *reload_all_the_time(void *argument)
{
	struct bench *bench = argument;
	struct reloads *reloads = bench->world;

	thread_pin_to(bench, bench->processors - 1);
	for (unsigned i = 0; !atomic_load(&reloads->stop); i++) {
		const struct text *next = &reloads->configurations[i % 2];
		const struct rtreg_source source = {.bytes = next->data, .size = next->length};

		if (rtreg_reload(reloads->seen.world.registry, &source, 0, NULL, NULL) < 0)
			break;
	}
	return NULL;
}

/* Every look-up alone, the clock's time with it, which is the same for both. */
static void read_for(struct reloads *reloads, int64_t time_ns)
{
	const struct way *way = &ways_bp[0];
	int64_t at_ns = bench_now_ns(), end_ns = at_ns + time_ns;

	memset(reloads->latencies, 0, sizeof(reloads->latencies));
	way->enter(&reloads->readers);
	while (at_ns < end_ns) {
		int64_t now_ns;

		way->batch(&reloads->readers, 0, 1);
		now_ns = bench_now_ns();
		reloads->latencies[now_ns - at_ns < LATENCY_MAX ? now_ns - at_ns : LATENCY_MAX]++;
		at_ns = now_ns;
	}
	way->leave(&reloads->readers);
}

static double latency_of(const struct reloads *reloads, double part)
{
	double all = 0, sum = 0;
	size_t i = 0;

	for (size_t j = 0; j <= LATENCY_MAX; j++)
		all += reloads->latencies[j];
	for (; i < LATENCY_MAX && sum + reloads->latencies[i] < part * all; i++)
		sum += reloads->latencies[i];
	return (double)i;
}

static int reader_init(struct reloads *reloads)
{
	size_t largest = sizes[reloads->count - 1], count = largest < SEEN_BY ? largest : SEEN_BY;
	int r = site_init(&reloads->seen, count, NULL);

	for (unsigned i = 0; i < ARRAY_SIZE(reloads->configurations) && r == 0; i++)
		r = wrapped_configuration(&reloads->seen.world, count, i + 10, 0,
		                          &reloads->configurations[i]);
	return r < 0 ? r : readers_init(&reloads->readers, &reloads->seen.world, 64, 1);
}

static int measure_reader(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	static void *(*const threads[])(void *) = {NULL, work_all_the_time, reload_all_the_time};
	void *(*thread)(void *) = threads[*(const enum meanwhile *)bench_case->context];
	struct reloads *reloads = bench->world;
	int64_t time_ns = bench->slice_ns > 100000000 ? bench->slice_ns : 100000000;
	int r = reloads->readers.names ? 0 : reader_init(reloads);

	if (r < 0)
		return r;

	atomic_store(&reloads->stop, false);
	thread_pin_to(bench, 0);
	if (thread && pthread_create(&reloads->writer, NULL, thread, bench) != 0)
		return -EAGAIN;
	read_for(reloads, time_ns);
	atomic_store(&reloads->stop, true);
	if (thread)
		pthread_join(reloads->writer, NULL);
	*ret = latency_of(reloads, 0.999);
	return 0;
}

/* --- all cases --- */

static const size_t indexes[] = {0, 1, 2, 3};
static const size_t file_at = offsetof(struct site, file), kept_at = offsetof(struct site, kept),
                    most_at = offsetof(struct site, most);
static const enum meanwhile meanwhile[] = {NOTHING, OTHER_WORK, RELOADS};

static int add_case(struct bench *bench, const char *name, const char *series, const char *reference,
                    size_t x, bench_measure_fn measure, const void *context)
{
	struct bench_case added = {.x = (double)x,
	                           .measure = measure,
	                           .context = context,
	                           .ours = true,
	                           .unit = measure == measure_memory ? BENCH_BYTES : BENCH_NS};

	bench_name(added.name, "%s", name);
	bench_name(added.series, "%s", series);
	bench_name(added.reference, "%s", reference);
	return bench_add(bench, &added);
}

static int add_sized(struct bench *bench, const char *what, size_t index, const char *reference,
                     bench_measure_fn measure)
{
	char name[BENCH_NAME_SIZE], other[BENCH_NAME_SIZE] = "";

	bench_name(name, "%s, %zu runtimes", what, sizes[index]);
	if (*reference)
		bench_name(other, "%s, %zu runtimes", reference, sizes[index]);
	return add_case(bench, name, what, other, sizes[index], measure, &indexes[index]);
}

static int add_memory(struct bench *bench, size_t largest)
{
	char file[BENCH_NAME_SIZE], name[BENCH_NAME_SIZE];
	int r;

	bench_name(file, "file, %zu runtimes", largest);
	r = add_case(bench, file, "", "", largest, measure_memory, &file_at);
	bench_name(name, "memory kept, %zu runtimes", largest);
	if (r == 0)
		r = add_case(bench, name, "", file, largest, measure_memory, &kept_at);
	bench_name(name, "memory at most, %zu runtimes", largest);
	return r < 0 ? r : add_case(bench, name, "", file, largest, measure_memory, &most_at);
}

static int add_all(struct bench *bench, const struct reloads *reloads)
{
	int r = add_memory(bench, sizes[reloads->count - 1]);

	for (size_t i = 0; r == 0 && i < reloads->count; i++) {
		r = add_sized(bench, "one label", i, "", measure_label);
		/* Of the last size there may be no more. */
		if (r == 0 && i + 1 < ARRAY_SIZE(sizes))
			r = add_sized(bench, "one runtime more", i, "one label", measure_added);
	}
	if (r == 0)
		r = add_case(bench, "bare writes, 1000 files", "", "", FIRST_LOAD, measure_bare_writes, NULL);
	if (r == 0)
		r = add_case(bench, "first load, 1000 runtimes", "", "bare writes, 1000 files", FIRST_LOAD,
		             measure_first_load, NULL);
	if (r == 0)
		r = add_case(bench, "p99.9 of a reader", "", "", 1, measure_reader, &meanwhile[NOTHING]);
	if (r == 0)
		r = add_case(bench, "p99.9 of a reader, other work", "", "p99.9 of a reader", 1,
		             measure_reader, &meanwhile[OTHER_WORK]);
	return r < 0 ? r
	             : add_case(bench, "p99.9 of a reader, reloads", "", "p99.9 of a reader", 1,
	                        measure_reader, &meanwhile[RELOADS]);
}

int bench_reload_open(struct bench *bench, struct rtreg_error *error)
{
	struct reloads *reloads = aligned_alloc(CACHE_LINE, sizeof(*reloads));
	size_t most;
	int r = 0;

	if (!reloads)
		return -ENOMEM;
	memset(reloads, 0, sizeof(*reloads));
	bench->world = reloads;
	most = bench->short_form ? ROUNDS_FEW : ROUNDS_MAX;
	if (bench->rounds > most)
		bench->rounds = most;
	/* Who asks for few operations does not want to wait for many files either. */
	reloads->count = bench->short_form || bench->batches > 0 ? ARRAY_SIZE(sizes) - 2 : ARRAY_SIZE(sizes);
	/* The largest first: of it the memory is measured, while there is nothing else in this process. */
	for (size_t i = reloads->count; i > 0 && r == 0; i--)
		r = site_init(&reloads->sites[i - 1], sizes[i - 1], error);
	reloads->loads = calloc(bench->rounds + 1, sizeof(*reloads->loads));
	if (r == 0 && !reloads->loads)
		r = -ENOMEM;
	return r < 0 ? r : add_all(bench, reloads);
}

void bench_reload_close(struct bench *bench)
{
	struct reloads *reloads = bench->world;

	if (!reloads)
		return;
	if (reloads->readers.names)
		readers_fini(&reloads->readers);
	for (size_t i = 0; i < ARRAY_SIZE(reloads->configurations); i++)
		text_fini(&reloads->configurations[i]);
	for (size_t i = 0; i < reloads->count; i++)
		world_fini(&reloads->sites[i].world);
	world_fini(&reloads->seen.world);
	for (size_t i = 0; i < reloads->load_count; i++)
		world_fini(&reloads->loads[i]);
	free(reloads->loads);
	bare_files_fini(&reloads->bare);
	free(reloads);
}
