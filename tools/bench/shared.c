/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `shared`: an engine in another process asks rtregd, over its socket and in mapped memory, beside an engine that holds
 * the registry itself; and what it costs to make that memory, and to take it.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench/readers.h"
#include "bench/rtregd.h"
#include "bench/threads.h"
#include "rtreg/client.h"

#define HOT          64 /* names that are asked for again and again */
#define SOCKET_BATCH 16
#define NS_PER_S     1e9

/* One size of the configuration, and who has it. */
struct place {
	struct readers readers;
	struct world world;
	struct server server;
	struct rtreg_client *mapped, *asking;
	unsigned long label; /* of the last reload */
};

static const size_t sizes[] = {64, 1024, 10000};
#define SHORT_SIZES 2

static struct place *place_of(const struct bench *bench, const struct bench_case *bench_case)
{
	struct place *place = bench->world;

	while (place->world.count != (size_t)bench_case->x)
		place++;
	return place;
}

/* --- looking up --- */

static uintptr_t ask_client(struct readers *readers, struct rtreg_client *client, size_t count)
{
	size_t at = readers->places->at;

	for (size_t i = 0; i < count; i++) {
		struct rtreg_runtime runtime;

		if (rtreg_client_resolve(client, readers->names[at].text, &runtime, NULL) == 0)
			keep(&runtime);
		at = at + 1 < readers->count ? at + 1 : 0;
	}
	readers->places->at = at;
	return at;
}

static uintptr_t ask_mapped(void *context, unsigned thread, size_t count)
{
	struct place *place = context;

	(void)thread;
	return ask_client(&place->readers, place->mapped, count);
}

static uintptr_t ask_socket(void *context, unsigned thread, size_t count)
{
	struct place *place = context;

	(void)thread;
	return ask_client(&place->readers, place->asking, count);
}

static int measure_in_process(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct work work = {.enter = ways_bp->enter,
	                    .leave = ways_bp->leave,
	                    .batch = ways_bp->batch,
	                    .context = &place_of(bench, bench_case)->readers};

	return measure_threads(bench, &work, 1, ret);
}

static int measure_mapped(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct place *place = place_of(bench, bench_case);
	struct work work = {.batch = ask_mapped, .context = place};

	/* What came with a reload is fetched ahead. */
	ask_client(&place->readers, place->mapped, 1);
	if (!rtreg_client_mapped(place->mapped))
		return -ENOTCONN;
	return measure_threads(bench, &work, 1, ret);
}

static int measure_socket(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct work work = {
	        .batch = ask_socket, .batch_size = SOCKET_BATCH, .context = place_of(bench, bench_case)};

	return measure_threads(bench, &work, 1, ret);
}

/* --- making and taking it --- */

static int reload(struct place *place)
{
	_cleanup_text_ struct text body = {0}, reply = {0};
	int r = world_configuration(&place->world, ++place->label, &body);

	if (r == 0)
		r = rtregd_ask(&place->server, "POST", "/v1/reload", body.data, &reply);
	if (r == 0 && strncmp(reply.data, "HTTP/1.1 200", strlen("HTTP/1.1 200")) != 0)
		r = -EPROTO;
	return r;
}

/* How long the step of all reloads has taken that makes the memory, by rtregd's own metrics. */
static int step_seconds(const struct place *place, double *ret)
{
	static const char line[] = "rtreg_reload_step_seconds_sum{kind=\"engine\",step=\"sharing\"} ";
	_cleanup_text_ struct text reply = {0};
	const char *found;
	int r = rtregd_ask(&place->server, "GET", "/metrics", NULL, &reply);

	if (r < 0)
		return r;
	found = strstr(reply.data, line);
	if (!found)
		return -EPROTO;
	*ret = strtod(found + strlen(line), NULL);
	return 0;
}

static int measure_publishing(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct place *place = place_of(bench, bench_case);
	double before, after;
	int r;

	/* It is made while somebody maps. */
	ask_client(&place->readers, place->mapped, 1);
	r = step_seconds(place, &before);
	if (r == 0)
		r = reload(place);
	if (r == 0)
		r = step_seconds(place, &after);
	if (r == 0)
		*ret = (after - before) * NS_PER_S;
	return r;
}

/* The first answer of a generation. */
static int measure_fetching(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	struct place *place = place_of(bench, bench_case);
	int64_t began_ns;
	int r = reload(place);

	if (r < 0)
		return r;
	began_ns = bench_now_ns();
	ask_client(&place->readers, place->mapped, 1);
	*ret = (double)(bench_now_ns() - began_ns);
	return rtreg_client_mapped(place->mapped) ? 0 : -ENOTCONN;
}

/* --- the subcommand --- */

static const struct kind {
	const char *name, *reference;
	bench_measure_fn measure;
	bool ours;
} kinds[] = {
        {"in process", NULL, measure_in_process, true},
        {"mapped", "in process", measure_mapped, true},
        {"over the socket", "mapped", measure_socket, true},
        {"making the memory", NULL, measure_publishing, false},
        {"first answer of a generation", NULL, measure_fetching, false},
};

static int add_kind(struct bench *bench, const struct kind *kind, size_t count)
{
	struct bench_case added = {.x = (double)count, .measure = kind->measure, .ours = kind->ours};

	bench_name(added.series, "%s", kind->name);
	bench_name(added.name, "%s, %zu runtimes", kind->name, count);
	if (kind->reference)
		bench_name(added.reference, "%s, %zu runtimes", kind->reference, count);
	return bench_add(bench, &added);
}

static int start(struct place *place, struct rtreg_error *error)
{
	char program[PATH_MAX];
	int r = program_find("rtregd", program, error);

	if (r == 0)
		r = server_place(&place->server, place->world.directory, "rtregd", error);
	if (r < 0)
		return r;
	r = rtregd_start(&place->server, program, &place->world, "2");
	if (r == 0)
		r = server_wait(&place->server);
	return r < 0 ? bench_fail(error, r, "%s does not start: %s", program, server_reason(r)) : 0;
}

static int place_init(struct place *place, size_t count, struct rtreg_error *error)
{
	int r = world_init(&place->world, count);

	place->label = 1;
	if (r == 0)
		r = world_open(&place->world, flavor_bp(), error);
	if (r == 0)
		r = readers_init(&place->readers, &place->world, count < HOT ? count : HOT, 1);
	if (r == 0)
		r = start(place, error);
	if (r == 0)
		r = rtreg_client_open(place->server.socket, &place->asking, error);
	if (r == 0)
		r = rtreg_client_open(place->server.socket, &place->mapped, error);
	if (r == 0)
		rtreg_client_map(place->mapped);
	return r;
}

static void place_fini(struct place *place)
{
	rtreg_client_close(place->mapped);
	rtreg_client_close(place->asking);
	server_stop(&place->server);
	readers_fini(&place->readers);
	world_fini(&place->world);
}

/* --runtimes N takes the place of all. */
static size_t size_count(const struct bench *bench)
{
	if (bench->runtimes_given)
		return 1;
	return bench->short_form ? SHORT_SIZES : ARRAY_SIZE(sizes);
}

int bench_shared_open(struct bench *bench, struct rtreg_error *error)
{
	struct place *all = aligned_alloc(CACHE_LINE, ARRAY_SIZE(sizes) * sizeof(*all));
	int r = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		all[i] = (struct place){0};
	bench->world = all;
	for (size_t i = 0; i < size_count(bench) && r == 0; i++) {
		size_t count = bench->runtimes_given ? bench->runtimes : sizes[i];

		r = place_init(&all[i], count, error);
		for (size_t j = 0; j < ARRAY_SIZE(kinds) && r == 0; j++)
			r = add_kind(bench, &kinds[j], count);
	}
	return r;
}

void bench_shared_close(struct bench *bench)
{
	struct place *all = bench->world;

	if (!all)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		place_fini(&all[i]);
	free(all);
}
