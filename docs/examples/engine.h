/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two files of the engine share: engine.c has the threads, engine_container.c what they do for each
 * container.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <urcu.h> /* every file that borrows includes the same flavour, before rtreg.h */

#include <rtreg/rtreg.h>

struct container {
	char id[32];
	bool running;
	pid_t init;                            /* its first process */
	struct rtreg_lock_in lock_in;          /* the runtime that it was started with */
	const struct rtreg_snapshot *settings; /* pinned: the configuration that it was started with */
};

struct engine {
	struct rtreg *registry;
	const char *bundle, *root, *runtime;
	struct rtreg_name prepared; /* `runtime`, as it is looked up for each container */
	long threads, containers, rate, seconds;
	long long deadline; /* ns; no container is begun later */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;

	pthread_mutex_t mutex; /* of the five below */
	struct container *all, **running;
	long begun, first, last; /* running[first] to running[last - 1] are to be stopped, in this order */

	atomic_bool stopping;
	atomic_uint_least64_t generation; /* of the last lock-in */
	atomic_long started, stopped, failures, moved, mixed, changes, reloads, refused;
};

/* Says what went wrong, and counts it. */
void complain(struct engine *engine, const char *about, const char *message);

/* Once, before the others; give both up with posix_spawn_file_actions_destroy() and posix_spawnattr_destroy(). */
int prepare_spawn(struct engine *engine);
/* Sets `running` if it could be started. */
void start_container(struct engine *engine, struct container *container);
void stop_container(struct engine *engine, struct container *container);
int remove_left_over(struct engine *engine, struct rtreg_error *error);

#endif
