/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Start and stop, in the order in which the parts need each other. The time between is loop.c's. */
#include "rcu.h" /* before everything that includes the public header */

#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "connections.h"
#include "crew.h"
#include "diagnostic.h"
#include "events.h"
#include "gate.h"
#include "history.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "notify.h"
#include "rejected.h"
#include "reloads.h"
#include "routes.h"
#include "seen.h"
#include "server.h"
#include "sharing.h"
#include "socket.h"
#include "timestamp.h"
#include "trial.h"
#include "watch.h"

#define DESCRIPTORS_WANTED 8192
#define LEAVE_MS           3000 /* for all that follow together; each is cut much sooner if it takes nothing */
#define LEAVE_TICK_NS      5000000
#define FLUSH_MS           3000 /* for the last replies together */

/* Several fsyncs at once serve a crowd sooner; those who read can wait for each other. */
#define CHANGERS 4
#define READERS  1

/*
 * Signals are read from a descriptor from here on; all threads made later inherit the mask. One that comes
 * before the loop runs waits until it does.
 */
static int take_signals(struct loop *loop, struct rtreg_error *error)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->signal_fd < 0 || loop->epoll_fd < 0)
		return error_set(error, -errno, "", "cannot watch signals: %s", strerror(errno));
	return 0;
}

/* As many descriptors as the connections that are allowed may need, if the hard limit has them. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static char *absolute_path(const char *path)
{
	_cleanup_free_ char *directory = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
	char *absolute = NULL;

	if (!directory || asprintf(&absolute, "%s%s%s", directory, directory[0] ? "/" : "", path) < 0)
		return NULL;
	return absolute;
}

static int find_places(struct service *service, struct rtreg_error *error)
{
	const struct options *options = service->options;

	service->config_file =
	        absolute_path(options->config_file ? options->config_file : DEFAULT_CONFIG_FILE);
	service->state_dir = absolute_path(options->state_dir ? options->state_dir : DEFAULT_STATE_DIR);
	if (!service->config_file || !service->state_dir)
		return error_set(error, -errno, "", "cannot tell where the files are: %s", strerror(errno));
	return 0;
}

static int make_parts(struct service *service, const struct loop *loop, struct rtreg_error *error)
{
	if (gethostname(service->host, sizeof(service->host)) < 0)
		service->host[0] = '\0';
	service->host[sizeof(service->host) - 1] = '\0';
	service->started_ns = timestamp_now_ns();
	service->started_ms = monotonic_now_ms();
	service->metrics = metrics_new(route_count(), service->options->threads + 1);
	service->history = history_new();
	service->events = events_new();
	service->gate = gate_new();
	service->rejected = rejected_new(service->state_dir);
	service->diagnostic = diagnostic_new(service);
	service->connections = connections_new(loop->epoll_fd);
	if (!service->metrics || !service->history || !service->events || !service->gate ||
	    !service->rejected || !service->diagnostic || !service->connections ||
	    sharing_new(&service->sharing) < 0)
		return error_no_memory(error);
	return 0;
}

static int open_registry(struct service *service, struct rtreg_error *error)
{
	const struct rtreg_step steps[] = {
	        {.name = "sharing",
	         .prepare = sharing_prepare,
	         .context = service->sharing}, /* the first one */
	        {.name = "log", .prepare = log_prepare},
	        {.name = "diagnostic-port", .prepare = diagnostic_prepare, .context = service->diagnostic},
	        {.name = "record", .prepare = gate_prepare, .context = service->gate}, /* the last one */
	};
	const struct rtreg_options options = {
	        .config_file = service->options->config_file,
	        .state_dir = service->options->state_dir,
	        .steps = steps,
	        .step_count = ARRAY_SIZE(steps),
	        .flags = service->options->flags,
	        .flag_count = service->options->flag_count,
	        .log = log_from_library,
	};

	return rtreg_open(&options, &service->registry, error);
}

static int take_handed_over(const struct options *options, struct loop *loop, struct rtreg_error *error)
{
	int fd, rc = notify_init(&fd, error);

	if (rc < 0 || fd < 0)
		return rc;
	rc = socket_take_over(fd, &loop->socket, error);
	if (rc == 0 && strcmp(loop->socket.path, options->socket) != 0)
		log_info("listening at the socket that was handed over", "socket", loop->socket.path,
		         "instead-of", options->socket);
	return rc;
}

/* Before the files are read, so that no change of them is missed. */
static int start_watching(struct service *service, const struct loop *loop, struct seen *ret_seen,
                          struct rtreg_error *error)
{
	if (!service->options->no_watch) {
		service->watch = watch_new(service->config_file, loop->epoll_fd);
		if (!service->watch)
			return error_no_memory(error);
	}
	if (seen_look(service->config_file, ret_seen) < 0)
		return error_no_memory(error);
	seen_wait_tick(ret_seen);
	return 0;
}

static int start_serving(struct service *service, struct loop *loop, struct seen *seen,
                         struct rtreg_error *error)
{
	const struct options *options = service->options;
	int rc = 0;

	service->trial = trial_new(service->registry);
	if (!service->trial)
		return error_no_memory(error);
	rc = reloads_new(service, seen, &service->reloads);
	if (rc == 0)
		rc = crew_new("rtregd-change", CHANGERS, &service->changers);
	if (rc == 0)
		rc = crew_new("rtregd-read", READERS, &service->readers);
	if (rc == 0)
		rc = server_new(service, options->threads, &service->server);
	if (rc < 0)
		return error_set(error, rc, "", "cannot start the threads of the server: %s", strerror(-rc));
	if (loop->socket.handed_over)
		return 0;
	return socket_listen(options->socket, options->socket_mode, options->group, &loop->socket, error);
}

static void add_own_event(struct service *service, const char *action, const char *generation)
{
	_cleanup_text_ struct text attributes = {0};

	json_open(&attributes, '{');
	if (generation)
		json_member_string(&attributes, "generation", generation);
	json_member_string(&attributes, "name", service->host);
	json_close(&attributes, '}');
	events_add(service->events, "daemon", action, service->host,
	           attributes.failed ? "{}" : text_string(&attributes));
}

static void note_start(struct service *service, const char *socket)
{
	uint64_t generation = live_generation(service->registry);
	bool reverted = rtreg_reverted_at_open(service->registry);
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, generation);
	history_add(service->history, generation, reverted ? "revert" : "start", "ok", NULL, NULL);
	add_own_event(service, "start", NULL);
	if (reverted) {
		add_own_event(service, "revert", number);
		log_warn("started with the confirmed configuration, not with what the files say: no "
		         "confirmation had come",
		         "generation", number);
	}
	log_info("started", "version", rtreg_version(), "socket", socket, "generation", number);
	gate_open(service->gate);
	notify_started(generation);
}

static int start(struct service *service, struct loop *loop, struct rtreg_error *error)
{
	_cleanup_seen_ struct seen seen = {0};
	int rc = take_handed_over(service->options, loop, error);

	if (rc == 0)
		rc = take_signals(loop, error);
	if (rc == 0)
		rc = find_places(service, error);
	if (rc == 0)
		rc = make_parts(service, loop, error);
	if (rc == 0)
		rc = start_watching(service, loop, &seen, error);
	if (rc == 0)
		rc = open_registry(service, error);
	if (rc < 0)
		return rc;
	rc = start_serving(service, loop, &seen, error);
	if (rc == 0)
		note_start(service, loop->socket.path);
	return rc;
}

/* The last event, and the end for those who follow. Context: no reload can come any more. */
static void take_leave(struct service *service)
{
	int64_t end_ms = monotonic_now_ms() + LEAVE_MS;

	add_own_event(service, "stop", NULL);
	events_end(service->events);
	while (connections_following(service->connections) + connections_upgraded(service->connections) > 0 &&
	       monotonic_now_ms() < end_ms) {
		connections_tick(service->connections);
		nanosleep(&(struct timespec){.tv_nsec = LEAVE_TICK_NS}, NULL);
	}
}

/* Undoes as much of start() as was done. */
static void stop(struct service *service, struct loop *loop)
{
	const struct flush_times times = {FLUSH_MS, loop->at_once ? 0 : LINGER_MS};

	socket_close(&loop->socket);
	/* Before the server: every suspended request is resumed with it, and learns what became of it. */
	if (service->reloads)
		reloads_stop(service->reloads);
	crew_stop(service->changers);
	crew_stop(service->readers);
	sharing_end(service->sharing);
	if (service->server) {
		take_leave(service);
		server_flush(service->server, service->connections, &times);
		events_watch(service->events, NULL, NULL);
	}
	server_free(service->server);
	reloads_free(service->reloads);
	crew_free(service->changers);
	crew_free(service->readers);
	trial_free(service->trial);
	diagnostic_free(service->diagnostic); /* it tells of the registry */
	rtreg_close(service->registry);
	sharing_free(service->sharing);
	watch_free(service->watch);
	connections_free(service->connections);
	rejected_free(service->rejected);
	gate_free(service->gate);
	events_free(service->events);
	history_free(service->history);
	metrics_free(service->metrics);
	free(service->config_file);
	free(service->state_dir);
	cleanup_closep(&loop->signal_fd);
	cleanup_closep(&loop->epoll_fd);
}

int service_run(const struct options *options, struct rtreg_error *error)
{
	struct loop loop = {.signal_fd = -1, .epoll_fd = -1, .socket.fd = -1};
	struct service service = {.options = options};
	int rc;

	turns_init(&service.lock_ins);
	raise_descriptor_limit();
	rc = start(&service, &loop, error);
	if (rc == 0) {
		diagnostic_set_ready(service.diagnostic, true);
		rc = loop_run(&loop, &service, error);
	}
	if (rc == 0)
		log_info("stopped");
	stop(&service, &loop);
	turns_fini(&service.lock_ins);
	return rc;
}
