/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An engine: a pool of threads that start and stop containers with an OCI runtime, while the configuration is
 * reloaded many times a second. At its end it proves that nothing was lost: exit code 0, else 1.
 *
 *     engine --bundle DIR --runtime-root DIR [--config-file FILE] [--state-dir DIR] [--threads N] …
 *     cc -O2 -DNDEBUG -D_GNU_SOURCE -D_LGPL_SOURCE engine.c engine_container.c $(pkg-config --cflags --libs rtreg liburcu) -pthread
 *
 * Begin with engine_container.c: what a container takes of a configuration, and how it keeps it. Here are the
 * threads: those that work (work()) are registered with liburcu, since they borrow. The one that reloads
 * (reload_again_and_again()) is not, and is the one that takes signals. None of them waits for another's reading
 * or reloading.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

#define NS_PER_S 1000000000ll

static long long now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

void complain(struct engine *engine, const char *about, const char *message)
{
	engine->failures++;
	fprintf(stderr, "engine: %s: %s\n", about, message);
}

/* --- the pool --- */

/*
 * The container to start or to stop next; NULL: there is nothing more to do. One thread starts it and another
 * stops it, some reloads later: neither a pin nor a lock-in belongs to a thread.
 */
static struct container *next_request(struct engine *engine)
{
	struct container *container = NULL;

	pthread_mutex_lock(&engine->mutex);
	if (engine->begun < engine->containers && engine->last - engine->first < engine->threads &&
	    !engine->stopping && now_ns() < engine->deadline) {
		container = &engine->all[engine->begun++];
		snprintf(container->id, sizeof(container->id), "c%d-%ld", getpid(), engine->begun);
	} else if (engine->first < engine->last) {
		container = engine->running[engine->first++];
	}
	pthread_mutex_unlock(&engine->mutex);
	return container;
}

static void *work(void *context)
{
	struct engine *engine = context;
	struct container *container;

	rcu_register_thread(); /* each thread that borrows, once; nothing else needs it */
	while ((container = next_request(engine))) {
		if (container->running) {
			stop_container(engine, container);
			continue;
		}
		start_container(engine, container);
		pthread_mutex_lock(&engine->mutex);
		if (container->running)
			engine->running[engine->last++] = container;
		pthread_mutex_unlock(&engine->mutex);
	}
	rcu_unregister_thread();
	return NULL;
}

static void reload(struct engine *engine)
{
	struct rtreg_error error = {0};
	/* By force, so that each is a new generation even where the file is as it was. An engine leaves that away. */
	int code = rtreg_reload(engine->registry, NULL, RTREG_RELOAD_FORCE, NULL, &error);

	if (code == 0)
		engine->reloads++;
	else if (code != -EINVAL)
		complain(engine, "reload", error.message);
	else if (engine->refused++ == 0) /* a mistake in the file: what was live stays live */
		fprintf(stderr, "engine: reload: %s\n", error.message);
	rtreg_error_fini(&error);
}

/*
 * Signals are blocked in all threads, and this one takes them one by one. A handler would interrupt any thread
 * anywhere, and could do next to nothing there.
 */
static void *reload_again_and_again(void *context)
{
	struct engine *engine = context;
	long long period = NS_PER_S / (engine->rate > 0 ? engine->rate : 1);
	long long next = now_ns() + period;

	for (;;) {
		long long left = next > now_ns() ? next - now_ns() : 0;
		struct timespec timeout = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
		int signal = sigtimedwait(&engine->signals, NULL, &timeout);

		if (signal == SIGUSR1) /* from run_pool() */
			return NULL;
		if (signal == SIGINT || signal == SIGTERM)
			engine->stopping = true; /* no new ones; those that run are stopped in good order */
		else if (signal == SIGHUP || engine->rate > 0)
			reload(engine);
		if (signal < 0)
			next = now_ns() + period;
	}
}

static bool run_pool(struct engine *engine)
{
	pthread_t reloader, *threads = calloc((size_t)engine->threads, sizeof(*threads));
	long made = 0;

	engine->deadline = engine->seconds > 0 ? now_ns() + engine->seconds * NS_PER_S : LLONG_MAX;
	if (!threads || pthread_create(&reloader, NULL, reload_again_and_again, engine) != 0) {
		free(threads);
		return false;
	}
	while (made < engine->threads && pthread_create(&threads[made], NULL, work, engine) == 0)
		made++; /* where there cannot be more, fewer do the work */
	for (long i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	pthread_kill(reloader, SIGUSR1);
	pthread_join(reloader, NULL);
	free(threads);
	return made > 0;
}

/* --- the whole --- */

/* True: all that was begun was started and stopped, each by one and the same runtime, and nothing is left. */
static bool report(struct engine *engine)
{
	struct rtreg_statistics statistics;
	size_t left = SIZE_MAX;

	rtreg_lock_in_count(engine->registry, &left);
	rtreg_statistics(engine->registry, &statistics, sizeof(statistics));
	printf("containers: %ld begun, %ld started, %ld stopped, %ld failures\n", engine->begun,
	       engine->started, engine->stopped, engine->failures);
	printf("runtimes: %ld commands not by the one that the container was started with\n", engine->moved);
	printf("generations: %ld times another one was locked in, %ld requests not of one alone, or of an "
	       "older one than was seen\n",
	       engine->changes, engine->mixed);
	printf("left: %zu lock-ins, %ju pins\n", left, (uintmax_t)statistics.pins);
	printf("reloads: %ld done, %ld refused\n", engine->reloads, engine->refused);
	return engine->started == engine->begun && engine->stopped == engine->begun &&
	       engine->failures == 0 && engine->moved == 0 && engine->mixed == 0 && left == 0 &&
	       statistics.pins == 0;
}

static bool parse(int argc, char **argv, struct rtreg_options *options, struct engine *engine)
{
	static const char *const names[] = {"config-file", "state-dir", "bundle",     "runtime-root",
	                                    "runtime",     "threads",   "containers", "reloads-per-second",
	                                    "seconds"};
	const char **text[] = {&options->config_file, &options->state_dir, &engine->bundle, &engine->root,
	                       &engine->runtime};
	long *number[] = {&engine->threads, &engine->containers, &engine->rate, &engine->seconds};
	struct option known[10] = {0};
	int index, option;

	for (int i = 0; i < 9; i++)
		known[i] = (struct option){.name = names[i], .has_arg = required_argument};
	while ((option = getopt_long(argc, argv, "", known, &index)) == 0) {
		if (index < 5)
			*text[index] = optarg;
		else
			*number[index - 5] = atol(optarg);
	}
	return option == -1 && optind == argc && engine->bundle && engine->root && engine->threads > 0 &&
	       engine->containers > 0;
}

static void log_line(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level <= RTREG_LOG_WARN)
		fprintf(stderr, "engine: %s\n", message);
}

int main(int argc, char **argv)
{
	struct engine engine = {
	        .threads = 4, .containers = 100, .rate = 100, .mutex = PTHREAD_MUTEX_INITIALIZER};
	struct rtreg_options options = {.log = log_line};
	struct rtreg_error error = {0};
	bool good = false;

	if (!parse(argc, argv, &options, &engine)) {
		fprintf(stderr, "usage: engine --bundle DIR --runtime-root DIR [--config-file FILE] "
		                "[--state-dir DIR]\n"
		                "              [--runtime NAME] [--threads N] [--containers N]\n"
		                "              [--reloads-per-second N] [--seconds N]\n");
		return 2;
	}
	sigemptyset(&engine.signals);
	sigaddset(&engine.signals, SIGHUP);
	sigaddset(&engine.signals, SIGINT);
	sigaddset(&engine.signals, SIGTERM);
	sigaddset(&engine.signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &engine.signals, NULL); /* before there are threads: they inherit it */
	prctl(PR_SET_CHILD_SUBREAPER, 1);                  /* see gone_within() */

	mkdir(engine.root, 0700);
	engine.root = realpath(engine.root, NULL); /* lock-ins are told apart by the absolute one */
	engine.all = calloc((size_t)engine.containers, sizeof(struct container));
	engine.running = calloc((size_t)engine.containers, sizeof(struct container *));
	rtreg_name_init(&engine.prepared, engine.runtime); /* holds for every generation to come */
	if (prepare_spawn(&engine) < 0 || !engine.root || !engine.all || !engine.running)
		perror("engine: cannot begin");
	else if (rtreg_open(&options, &engine.registry, &error) < 0 || remove_left_over(&engine, &error) < 0)
		fprintf(stderr, "engine: %s\n", error.message);
	else
		good = run_pool(&engine) && report(&engine);
	rtreg_error_fini(&error);
	rtreg_close(engine.registry);
	posix_spawnattr_destroy(&engine.attributes);
	posix_spawn_file_actions_destroy(&engine.actions);
	free((char *)engine.root);
	free(engine.running);
	free(engine.all);
	return good ? 0 : 1;
}
