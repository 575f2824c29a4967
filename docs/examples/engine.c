/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An engine: a pool of threads that start and stop containers with an OCI runtime, while the configuration is
 * reloaded many times a second. At its end it proves that nothing was lost: exit code 0, else 1.
 *
 *     engine --bundle DIR --runtime-root DIR [--config-file FILE] [--state-dir DIR] [--threads N] …
 *     cc -D_GNU_SOURCE engine.c $(pkg-config --cflags --libs rtreg liburcu) -pthread
 *
 * It shows the three ways to use a configuration that may be replaced at any moment:
 *
 *   borrow    for a look that is over in a moment                               look()
 *   pin       for settings that must stay what they are while something lasts   start_container()
 *   lock in   for what must outlive this process: a container's runtime         start_container()
 *
 * and what a process of many threads needs around them: programs started without a fork of one's own
 * (prepare_spawn()), containers that somebody waits for (gone_within()), what a killed engine left behind
 * (remove_left_over()), signals that one thread takes when it has time (reload_again_and_again()).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <urcu.h>

#include <rtreg/rtreg.h>

#define NS_PER_S       1000000000ll
#define KILL_TIMEOUT_S 60 /* nothing ignores SIGKILL, but a slow disk can hold the end up */

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
	atomic_long started, stopped, failures, moved, went_back, changes, reloads, refused;
};

static long long now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void complain(struct engine *engine, const char *about, const char *message)
{
	engine->failures++;
	fprintf(stderr, "engine: %s: %s\n", about, message);
}

/* --- starting programs --- */

/*
 * After fork() in a process of many threads, any lock may be held for ever in the child: until it executes
 * something, it may not even allocate. posix_spawn() leaves no room for that mistake. What the child is to be
 * like is the same for all, and said once, here. Whatever else is open must be close-on-exec from the moment
 * that it is opened: another thread may be starting a program right then. What the library opens is.
 */
static int prepare_spawn(struct engine *engine)
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
	code = rtreg_resolve(snapshot, engine->runtime, &runtime, error);
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

static void start_container(struct engine *engine, struct container *container)
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
	 * created with. So that is on disk before there is a container.
	 */
	if (rtreg_lock_in(engine->registry, engine->root, container->id, engine->runtime, &container->lock_in,
	                  &error) < 0)
		goto refused;
	/* Each was taken after the one before it, so none can be older. */
	if (seen > rtreg_snapshot_generation(container->settings) ||
	    rtreg_snapshot_generation(container->settings) > container->lock_in.generation)
		engine->went_back++;
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

static void stop_container(struct engine *engine, struct container *container)
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
static int remove_left_over(struct engine *engine, struct rtreg_error *error)
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
	printf("generations: %ld times another one was locked in, %ld times an older one seen after a "
	       "newer\n",
	       engine->changes, engine->went_back);
	printf("left: %zu lock-ins, %ju pins\n", left, (uintmax_t)statistics.pins);
	printf("reloads: %ld done, %ld refused\n", engine->reloads, engine->refused);
	return engine->started == engine->begun && engine->stopped == engine->begun &&
	       engine->failures == 0 && engine->moved == 0 && engine->went_back == 0 && left == 0 &&
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
	if (!engine.root || !engine.all || !engine.running || prepare_spawn(&engine) < 0)
		perror("engine: cannot begin");
	else if (rtreg_open(&options, &engine.registry, &error) < 0 || remove_left_over(&engine, &error) < 0)
		fprintf(stderr, "engine: %s\n", error.message);
	else
		good = run_pool(&engine) && report(&engine);
	rtreg_error_fini(&error);
	rtreg_close(engine.registry);
	free((char *)engine.root);
	free(engine.running);
	free(engine.all);
	return good ? 0 : 1;
}
