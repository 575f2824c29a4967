/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `socket`: what a request to rtregd costs, beside servers that answer each with the same bytes; what a thousand connections
 * cost it; and rtregctl as a whole process. Each server has a process of its own, and is asked by this one.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "bench/peers.h"

#define CONNECTIONS 16
#define CROWD       1000
#define BATCH       1024 /* requests */
/* So many that what the threads used tells who served whom. */
#define CROWD_REQUESTS 100000

extern char **environ;

static const char *const output_suffixes[OUTPUT_COUNT] = {
        [OUTPUT_CPU] = "",      [OUTPUT_TIME] = ", time",  [OUTPUT_P50] = ", p50",
        [OUTPUT_P99] = ", p99", [OUTPUT_P999] = ", p99.9",
};

struct socket_world;

struct figure {
	struct socket_world *world;
	struct peer *peer;
	enum output output;
	double value; /* of what is measured once */
};

/* What is measured once, and what of processes. */
enum { IDLE_RTREGD, IDLE_LIBRARY, BUSIER, ONCE_COUNT };
enum { PROCESS_TRUE, PROCESS_CTL, PROCESS_ABOVE, PROCESS_COUNT };

struct socket_world {
	struct peers peers;
	struct figure figures[PEER_COUNT][OUTPUT_COUNT];
	struct figure once[ONCE_COUNT], processes[PROCESS_COUNT], crowds[2];
	struct sample process_sample;
};

static int connect_all(struct socket_world *world)
{
	int r = 0;

	for (size_t i = 0; i < PEER_COUNT && r == 0; i++)
		if (world->peers.peer[i].server.pid > 0)
			r = load_init(&world->peers.peer[i].load, &world->peers.peer[i].server, CONNECTIONS);
	return r;
}

/* --- what is measured --- */

/* Whether the sample at hand has a figure that was not told yet; all of them are had before there is a new one. */
static bool has_untold(const struct sample *sample, unsigned which)
{
	return sample->untold >> which & 1;
}

static double tell(struct sample *sample, unsigned which)
{
	sample->untold &= ~(1u << which);
	return sample->figures[which];
}

static int sample_peer(const struct bench *bench, struct peer *peer)
{
	struct load_figures figures;
	const int r = load_run(&peer->load, bench->batches * BATCH, bench->slice_ns * OUTPUT_COUNT, &figures);

	if (r < 0)
		return r;
	peer->sample = (struct sample){
	        .figures = {[OUTPUT_CPU] = figures.cpu_ns,
	                    [OUTPUT_TIME] = figures.time_ns,
	                    [OUTPUT_P50] = figures.p50_ns,
	                    [OUTPUT_P99] = figures.p99_ns,
	                    [OUTPUT_P999] = figures.p999_ns},
	        .untold = (1u << OUTPUT_COUNT) - 1,
	};
	return 0;
}

static int measure_peer(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct figure *figure = bench_case->context;
	int r = 0;

	if (!has_untold(&figure->peer->sample, figure->output))
		r = sample_peer(bench, figure->peer);
	if (r == 0)
		*ret = tell(&figure->peer->sample, figure->output);
	return r;
}

static int measure_once(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct figure *figure = bench_case->context;

	(void)bench;
	*ret = figure->value;
	return 0;
}

/* How long a program takes from its start to its end, if that is less than it took before. */
static int time_process(char *const *arguments, double *ret)
{
	posix_spawn_file_actions_t actions;
	const int64_t began_ns = bench_now_ns();
	int status = 0, r;
	pid_t pid = 0;

	r = -posix_spawn_file_actions_init(&actions);
	if (r < 0)
		return r;
	r = -posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = -posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r < 0)
		return r;
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return -ECHILD;
	*ret = fmin(*ret, (double)(bench_now_ns() - began_ns));
	return 0;
}

static int sample_processes(struct socket_world *world, int64_t duration_ns)
{
	const struct server *server = &world->peers.peer[RTREGD].server;
	char *const nothing[] = {(char[]){"true"}, NULL};
	char *const ctl[] = {world->peers.rtregctl, (char[]){"-s"},   (char *)(uintptr_t)server->socket,
	                     (char[]){"resolve"},   (char[]){"runc"}, NULL};
	const int64_t end_ns = bench_now_ns() + duration_ns;
	double without = INFINITY, with = INFINITY;
	int r = 0;

	do {
		r = time_process(nothing, &without);
		if (r == 0)
			r = time_process(ctl, &with);
	} while (r == 0 && bench_now_ns() < end_ns);
	if (r < 0)
		return r;
	world->process_sample = (struct sample){
	        .figures = {without, with, fmax(with - without, 1)},
	        .untold = (1u << PROCESS_COUNT) - 1,
	};
	return 0;
}

static int measure_process(struct bench *bench, const struct bench_case *bench_case, double *ret)
{
	const struct figure *figure = bench_case->context;
	struct socket_world *world = figure->world;
	const unsigned which = (unsigned)(figure - world->processes);
	int r = 0;

	if (!has_untold(&world->process_sample, which))
		r = sample_processes(world, bench->batches > 0 ? 0 : bench->slice_ns * PROCESS_COUNT);
	if (r == 0)
		*ret = tell(&world->process_sample, which);
	return r;
}

/* --- a crowd --- */

/* What each of the connections of a crowd takes of a server's memory. They stay, for the cases. */
static int measure_idle(struct socket_world *world, struct peer *peer, const char *name, double *ret,
                        struct rtreg_error *error)
{
	uint64_t before = 0, after = 0;
	int r = peer_start(&world->peers, peer, name, error);

	if (r < 0)
		return r;
	r = server_memory(&peer->server, &before);
	if (r == 0)
		r = load_init(&peer->load, &peer->server, CROWD);
	if (r == 0)
		r = server_memory(&peer->server, &after);
	if (r < 0)
		return bench_fail(error, r, "%d connections to %s: %s", CROWD, peer->name, strerror(-r));
	*ret = ((double)after - (double)before) / CROWD;
	return 0;
}

static int measure_crowds(struct socket_world *world, struct rtreg_error *error)
{
	double rtregd = 0, library = 0, busier = 0;
	struct load_figures figures;
	unsigned threads = 0;
	int r;

	r = measure_idle(world, &world->peers.crowd_library, "crowd-library", &library, error);
	if (r == 0)
		r = measure_idle(world, &world->peers.crowd_rtregd, "crowd-rtregd", &rtregd, error);
	if (r < 0)
		return r;
	r = load_run(&world->peers.crowd_rtregd.load, CROWD_REQUESTS, 0, &figures);
	if (r == 0)
		r = server_threads(&world->peers.crowd_rtregd.server, "rtregd-http", &threads, &busier);
	if (r < 0)
		return bench_fail(error, r, "%d connections at once: %s", CROWD, strerror(-r));
	world->once[IDLE_RTREGD].value = rtregd;
	world->once[IDLE_LIBRARY].value = library;
	world->once[BUSIER].value = busier;
	return 0;
}

/* --- the cases --- */

static int add_outputs(struct bench *bench, struct socket_world *world, size_t i)
{
	const struct peer *peer = &world->peers.peer[i];
	int r = 0;

	for (size_t output = 0; output < OUTPUT_COUNT && r == 0; output++) {
		struct figure *figure = &world->figures[i][output];
		struct bench_case added = {
		        .x = CONNECTIONS, .ours = peer->threads, .measure = measure_peer, .context = figure};

		*figure = (struct figure){
		        .world = world, .peer = &world->peers.peer[i], .output = (enum output)output};
		bench_name(added.name, "%s%s", peer->name, output_suffixes[output]);
		if (output == OUTPUT_CPU)
			bench_name(added.series, "%s", peer->name);
		if (i != LIBRARY)
			bench_name(added.reference, "%s%s", world->peers.peer[LIBRARY].name,
			           output_suffixes[output]);
		r = bench_add(bench, &added);
	}
	return r;
}

static int add_once(struct bench *bench, struct socket_world *world)
{
	static const struct bench_case cases[ONCE_COUNT] = {
	        [IDLE_RTREGD] = {.name = "idle connection, rtregd",
	                         .reference = "idle connection, libmicrohttpd",
	                         .unit = BENCH_BYTES},
	        [IDLE_LIBRARY] = {.name = "idle connection, libmicrohttpd", .unit = BENCH_BYTES},
	        [BUSIER] = {.name = "percent of the busier of two threads", .unit = BENCH_COUNT},
	};
	int r = 0;

	for (size_t i = 0; i < ONCE_COUNT && r == 0; i++) {
		struct bench_case added = cases[i];

		added.measure = measure_once;
		added.context = &world->once[i];
		r = bench_add(bench, &added);
	}
	return r;
}

static int add_processes(struct bench *bench, struct socket_world *world)
{
	static const char *const names[PROCESS_COUNT] = {"process, true", "process, rtregctl resolve",
	                                                 "process, rtregctl resolve above true"};
	int r = 0;

	for (size_t i = 0; i < PROCESS_COUNT && r == 0; i++) {
		struct bench_case added = {.measure = measure_process, .context = &world->processes[i]};

		world->processes[i].world = world;
		bench_name(added.name, "%s", names[i]);
		r = bench_add(bench, &added);
	}
	return r;
}

static int add_crowds(struct bench *bench, struct socket_world *world)
{
	struct bench_case rtregd = {
	        .x = CROWD, .ours = true, .measure = measure_peer, .context = &world->crowds[0]};
	struct bench_case library = {.x = CROWD, .measure = measure_peer, .context = &world->crowds[1]};
	int r;

	world->crowds[0] =
	        (struct figure){.world = world, .peer = &world->peers.crowd_rtregd, .output = OUTPUT_CPU};
	world->crowds[1] =
	        (struct figure){.world = world, .peer = &world->peers.crowd_library, .output = OUTPUT_CPU};
	bench_name(rtregd.name, "rtregd, 2 threads, %d connections", CROWD);
	bench_name(library.name, "libmicrohttpd, %d connections", CROWD);
	bench_name(rtregd.reference, "%s", library.name);
	bench_name(rtregd.series, "%s", world->crowds[0].peer->name);
	bench_name(library.series, "%s", world->crowds[1].peer->name);
	r = bench_add(bench, &library);
	return r < 0 ? r : bench_add(bench, &rtregd);
}

static int add_cases(struct bench *bench, struct socket_world *world)
{
	int r = 0;

	for (size_t i = 0; i < PEER_COUNT && r == 0; i++)
		if (world->peers.peer[i].server.pid > 0)
			r = add_outputs(bench, world, i);
	if (r == 0)
		r = add_crowds(bench, world);
	if (r == 0)
		r = add_once(bench, world);
	return r < 0 ? r : add_processes(bench, world);
}

/* --- begin and end --- */

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int bench_socket_open(struct bench *bench, struct rtreg_error *error)
{
	struct socket_world *world = calloc(1, sizeof(*world));
	int r;

	if (!world)
		return -ENOMEM;
	bench->world = world;
	raise_descriptor_limit();
	r = peers_init(&world->peers, bench->runtimes, error);
	if (r == 0)
		r = measure_crowds(world, error);
	if (r == 0)
		r = connect_all(world);
	return r < 0 ? r : add_cases(bench, world);
}

void bench_socket_close(struct bench *bench)
{
	struct socket_world *world = bench->world;

	if (!world)
		return;
	peers_fini(&world->peers);
	free(world);
}
