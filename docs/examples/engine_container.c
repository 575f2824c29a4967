/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a container, and the three ways to use a configuration that may be replaced at any moment:
 *
 *   borrow    for a look that is over in a moment                               look()
 *   pin       for settings that must stay what they are while something lasts   start_container()
 *   lock in   for what must outlive this process: a container's runtime         start_container()
 *
 * With what an engine of many threads needs around them: programs started without a fork of one's own
 * (prepare_spawn()), containers that somebody waits for (gone_within()), what a killed engine left behind
 * (remove_left_over()).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"

#define KILL_TIMEOUT_S 60 /* nothing ignores SIGKILL, but a slow disk can hold the end up */

/* --- starting programs --- */

/*
 * After fork() in a process of many threads, any lock may be held for ever in the child: until it executes
 * something, it may not even allocate. posix_spawn() leaves no room for that mistake. What the child is to be
 * like is the same for all, and said once, here. Whatever else is open must be close-on-exec from the moment
 * that it is opened: another thread may be starting a program right then. What the library opens is.
 */
int prepare_spawn(struct engine *engine)
{
	posix_spawn_file_actions_t *actions = &engine->actions;
	sigset_t none;

	/* A container inherits these of its runtime: to the end of a pipe one would wait for the container's. */
	if (posix_spawn_file_actions_init(actions) != 0 || posix_spawnattr_init(&engine->attributes) != 0 ||
	    posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0)
		return -ENOMEM;
	/* The threads here block signals. A container that inherited that could not be asked to stop. */
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&engine->attributes, &none);
	posix_spawnattr_setflags(&engine->attributes, POSIX_SPAWN_SETSIGMASK);
	return 0;
}

/* Runs `BINARY --root ROOT ARGUMENTS…` of a lock-in, and waits for it. True: it exited with 0. */
static bool execute(struct engine *engine, const struct rtreg_lock_in *lock_in, const char *const *arguments)
{
	const char *argv[16] = {lock_in->binary, "--root", engine->root};
	int status, count = 3, code = ENOTSUP; /* a type runtime has no binary: it needs a shim */
	pid_t child;

	while (*arguments && count < 15)
		argv[count++] = *arguments++;
	if (lock_in->binary) /* the stock runtime's is the bare "runc", to be found in PATH */
		code = posix_spawnp(&child, lock_in->binary, &engine->actions, &engine->attributes,
		                    (char *const *)argv, environ);
	if (code != 0) {
		fprintf(stderr, "engine: runtime %s: %s\n", lock_in->runtime, strerror(code));
		return false;
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * A command for a container. The lock-in is read anew each time, as an engine that was restarted would, and
 * must be the one that start_container() was given.
 */
static bool command(struct engine *engine, struct container *container, const char *const *arguments)
{
	struct rtreg_error error = {0};
	struct rtreg_lock_in now;
	bool done;

	if (rtreg_locked(engine->registry, engine->root, container->id, &now, &error) < 0) {
		complain(engine, container->id, error.message);
		rtreg_error_fini(&error);
		return false;
	}
	if (strcmp(now.json, container->lock_in.json) != 0)
		engine->moved++;
	done = execute(engine, &now, arguments);
	rtreg_lock_in_fini(&now);
	return done;
}

#define COMMAND(engine, container, ...) command(engine, container, (const char *const[]){__VA_ARGS__, NULL})

/* --- the life of a container --- */

/*
 * Borrowing waits for nobody and writes nothing, and all that is read in one section is of one generation. It
 * must be over soon: a superseded configuration is kept as long as somebody may still look at it. So nothing in
 * here may block, and what is needed afterwards is copied.
 */
static int look(struct engine *engine, uint64_t *ret_generation, struct rtreg_error *error)
{
	const struct rtreg_snapshot *snapshot;
	struct rtreg_runtime runtime;
	int code;

	rcu_read_lock();
	snapshot = rtreg_borrow(engine->registry);
	*ret_generation = rtreg_snapshot_generation(snapshot);
	code = rtreg_resolve_name(snapshot, &engine->prepared, &runtime, error);
	rtreg_tsan_reader_done(engine->registry); /* for builds with the thread sanitizer; else nothing */
	rcu_read_unlock();                        /* from here on the strings in `runtime` may go */
	return code;
}

/* Gives back what start_container() took. */
static void let_go(struct engine *engine, struct container *container)
{
	struct rtreg_error error = {0};

	if (rtreg_unlock(engine->registry, engine->root, container->id, &error) < 0)
		complain(engine, container->id, error.message);
	rtreg_error_fini(&error);
	rtreg_lock_in_fini(&container->lock_in);
	rtreg_unpin(container->settings); /* on whichever thread this is */
}

/*
 * Whether the container's first process ends in time. Its parent, the runtime that created it, is gone, so it is
 * this process' child now (PR_SET_CHILD_SUBREAPER), and its number is nobody else's until it was waited for.
 */
static bool gone_within(const struct container *container, int64_t timeout_s)
{
	struct pollfd process = {.fd = pidfd_open(container->init, 0), .events = POLLIN}; /* close-on-exec */
	bool endless = timeout_s < 0 || timeout_s > INT_MAX / 1000;
	bool gone = process.fd >= 0 && poll(&process, 1, endless ? -1 : (int)timeout_s * 1000) > 0;

	if (process.fd >= 0)
		close(process.fd);
	return gone;
}

static const char *pid_file(struct engine *engine, const char *id, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s.pid", engine->root, id);
	return path;
}

static bool create_and_start(struct engine *engine, struct container *container)
{
	char path[PATH_MAX];
	FILE *file;

	pid_file(engine, container->id, path);
	if (!COMMAND(engine, container, "create", "--bundle", engine->bundle, "--pid-file", path,
	             container->id))
		return false;
	file = fopen(path, "re"); /* e: close-on-exec */
	if (!file)
		return false;
	container->running = fscanf(file, "%d", &container->init) == 1 &&
	                     COMMAND(engine, container, "start", container->id);
	fclose(file);
	unlink(path);
	return container->running;
}

void start_container(struct engine *engine, struct container *container)
{
	struct rtreg_error error = {0};
	uint64_t seen;

	/* First a look, which costs nothing: what cannot be had is refused here, without a trace. */
	if (look(engine, &seen, &error) < 0)
		goto refused;
	/*
	 * Two settings that belong together do so only within one snapshot. This one stays as it is until the
	 * container is gone, whatever is reloaded; it is memory, and ends with this process.
	 */
	container->settings = rtreg_pin(engine->registry);
	/*
	 * The runtime must outlive the process: kill and delete have to go to the one that the container was
	 * created with. So that is on disk before there is a container; of the same snapshot as the settings.
	 */
	if (rtreg_lock_in_at(engine->registry, container->settings, engine->root, container->id,
	                     engine->runtime, &container->lock_in, &error) < 0)
		goto refused;
	/* It was pinned after the look, so it cannot be older. */
	if (seen > rtreg_snapshot_generation(container->settings) ||
	    rtreg_snapshot_generation(container->settings) != container->lock_in.generation)
		engine->mixed++;
	if (atomic_exchange(&engine->generation, container->lock_in.generation) !=
	    container->lock_in.generation)
		engine->changes++;
	if (create_and_start(engine, container)) {
		engine->started++;
		return;
	}
	complain(engine, container->id, "cannot be started");
	COMMAND(engine, container, "delete", "--force", container->id);
	if (container->init > 0 && gone_within(container, KILL_TIMEOUT_S))
		waitpid(container->init, NULL, 0);
	let_go(engine, container); /* last: as long as something of it is there, its runtime must be known */
	return;
refused:
	complain(engine, container->id, error.message); /* a command exits with rtreg_exit_code() */
	rtreg_error_fini(&error);
	rtreg_unpin(container->settings);
}

void stop_container(struct engine *engine, struct container *container)
{
	bool gone;

	/* Whether kill succeeds does not matter, the process may end by itself just before. That it is gone does. */
	COMMAND(engine, container, "kill", container->id, "TERM");
	/* The timeout of the day that it was started on, however many have come and gone since. */
	if (!gone_within(container, rtreg_snapshot_default_stop_timeout(container->settings)))
		COMMAND(engine, container, "kill", container->id, "KILL");
	gone = gone_within(container, KILL_TIMEOUT_S) && waitpid(container->init, NULL, 0) == container->init;
	if (gone && COMMAND(engine, container, "delete", container->id)) {
		let_go(engine, container);
		engine->stopped++;
	} else { /* it stays locked in, for whoever deals with it */
		complain(engine, container->id, gone ? "cannot be deleted" : "does not end");
	}
}

/*
 * An engine that was killed has left containers behind. Their lock-ins tell which, and by what they can be ended,
 * even where no configuration knows that runtime any more. (Its last commands may be at work still, for a moment;
 * an engine that is started again at once waits for them.)
 */
int remove_left_over(struct engine *engine, struct rtreg_error *error)
{
	struct rtreg_lock_in *left;
	char path[PATH_MAX];
	size_t count;
	int code = rtreg_lock_ins(engine->registry, engine->root, &left, &count, error);

	if (code < 0)
		return code;
	for (size_t i = 0; i < count && code == 0; i++) {
		if (execute(engine, &left[i], (const char *const[]){"delete", "--force", left[i].id, NULL}))
			code = rtreg_unlock(engine->registry, engine->root, left[i].id, error);
		else
			complain(engine, left[i].id, "was left over and cannot be deleted");
		unlink(pid_file(engine, left[i].id, path));
	}
	if (count > 0)
		fprintf(stderr, "engine: %zu containers were left over\n", count);
	rtreg_lock_ins_free(left, count);
	return code;
}
