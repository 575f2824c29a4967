/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/problems.h"
#include "connections.h"
#include "diagnostic.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "reloads.h"
#include "reply.h"
#include "server.h"
#include "timestamp.h"
#include "watch.h"

#define BACKLOG_AT_ONCE 64
#define STOP_TICK_MS    20

/*
 * The listening socket is not watched until then: without descriptors or memory, accept would fail at once,
 * again and again.
 */
#define ACCEPT_PAUSE_MS 100
#define WARN_AGAIN_MS   10000

struct running {
	struct loop *loop;
	struct service *service;
	bool ended;               /* SIGTERM, SIGINT */
	int64_t accept_paused_ms; /* when to accept again; 0: now */
	int64_t accept_warned_ms; /* when that was last said; 0: never */
};

static int watch(struct loop *loop, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void pause_accept(struct running *running)
{
	int64_t now_ms = monotonic_now_ms();

	if (running->accept_warned_ms == 0 || now_ms - running->accept_warned_ms >= WARN_AGAIN_MS) {
		log_warn("cannot accept connections for the moment", "error", strerror(errno));
		running->accept_warned_ms = now_ms;
	}
	metrics_count(running->service->metrics, METRICS_ACCEPT_PAUSES, 1);
	epoll_ctl(running->loop->epoll_fd, EPOLL_CTL_DEL, running->loop->socket.fd, NULL);
	running->accept_paused_ms = now_ms + ACCEPT_PAUSE_MS;
}

static void resume_accept(struct running *running)
{
	if (running->accept_paused_ms == 0 || monotonic_now_ms() < running->accept_paused_ms)
		return;
	running->accept_paused_ms = 0;
	if (watch(running->loop, running->loop->socket.fd) < 0)
		pause_accept(running);
}

static enum metrics_counter reason_of(int result)
{
	switch (result) {
	case -EAGAIN:
		return METRICS_REFUSED;
	case -EUSERS:
		return METRICS_REFUSED_OF_USER;
	default:
		return METRICS_REFUSED_NO_MEMORY;
	}
}

static void take_connection(struct service *service, int fd)
{
	int rc = connections_add(service->connections, fd);

	if (rc == 0) {
		metrics_count(service->metrics, METRICS_ACCEPTED, 1);
		server_take(service->server, fd);
	} else {
		metrics_count(service->metrics, reason_of(rc), 1);
		metrics_request(service->metrics, 0, 0, 503, -1);
		reply_write_raw(fd, 503, "too many connections");
		connections_linger(service->connections, fd);
	}
}

/* Returns false when nobody waits any more. */
static bool accept_one(struct running *running)
{
	int fd = accept4(running->loop->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		take_connection(running->service, fd);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		pause_accept(running);
	/* ECONNABORTED and EINTR are about one connection alone. */
	return errno == ECONNABORTED || errno == EINTR;
}

static void accept_some(struct running *running, int most)
{
	while (most-- > 0 && accept_one(running))
		;
}

static void read_signals(struct running *running)
{
	struct signalfd_siginfo info;

	while (read(running->loop->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP && !running->ended) {
			reloads_signal(running->service->reloads);
		} else if (info.ssi_signo != SIGHUP) {
			log_info("stopping", "signal", info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
			running->ended = true;
		}
	}
}

static int earlier(int a_ms, int b_ms)
{
	return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static int loop_step(struct running *running)
{
	struct loop *loop = running->loop;
	struct epoll_event events[32];
	int timeout_ms = connections_tick(running->service->connections), count;
	bool arrived = false;

	if (running->accept_paused_ms > 0)
		timeout_ms = earlier(timeout_ms, ACCEPT_PAUSE_MS);
	timeout_ms = earlier(timeout_ms, notify_watchdog());
	timeout_ms = earlier(timeout_ms, watch_tick(running->service->watch, running->service->reloads));
	count = epoll_wait(loop->epoll_fd, events, ARRAY_SIZE(events), timeout_ms);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;

		if (fd == loop->signal_fd)
			read_signals(running);
		else if (fd == loop->socket.fd)
			arrived = true;
		else if (fd == watch_fd(running->service->watch))
			watch_read(running->service->watch);
		else
			connections_drain(running->service->connections, fd);
	}
	/* Last: of those that come with a signal to stop, finish() knows what to do. */
	if (arrived && !running->ended)
		accept_some(running, BACKLOG_AT_ONCE);
	resume_accept(running);
	return 0;
}

/* When the requests in flight are waited for no longer; INT64_MAX: never. */
static int64_t stop_deadline_ms(struct rtreg *registry)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	int64_t timeout_s = rtreg_snapshot_shutdown_timeout(snapshot);

	rtreg_unpin(snapshot);
	if (timeout_s < 0 || timeout_s > INT32_MAX)
		return INT64_MAX;
	return monotonic_now_ms() + timeout_s * 1000;
}

/* A second signal to stop means: now. */
static bool asked_again(struct running *running)
{
	running->ended = false;
	read_signals(running);
	return running->ended;
}

static void drain_lingering(struct running *running)
{
	struct epoll_event events[32];
	int count = epoll_wait(running->loop->epoll_fd, events, ARRAY_SIZE(events), STOP_TICK_MS);

	for (int i = 0; i < count; i++)
		connections_drain(running->service->connections, events[i].data.fd);
}

static void finish(struct running *running)
{
	struct connections *connections = running->service->connections;
	int64_t deadline_ms = stop_deadline_ms(running->service->registry);

	notify_stopping();
	diagnostic_set_ready(running->service->diagnostic, false);
	/* Its close is left for the end: it can take seconds where threads are busy with requests. */
	epoll_ctl(running->loop->epoll_fd, EPOLL_CTL_DEL, watch_fd(running->service->watch), NULL);
	epoll_ctl(running->loop->epoll_fd, EPOLL_CTL_DEL, running->loop->signal_fd, NULL);
	/* First: who sees that the socket has gone is told that the connection ends with the reply. */
	connections_stop(connections);
	/*
	 * Who had connected before the signal is not turned away. At a socket that stays, its next owner does
	 * better: here a request that comes late would be cut. Last before the socket goes: who comes in between
	 * is lost.
	 */
	if (running->accept_paused_ms == 0 && !running->loop->socket.handed_over)
		accept_some(running, CONNECTIONS_MAX);
	socket_close(&running->loop->socket);
	/* Twice nothing: a request on its way from the socket to its handler is not seen for a moment. */
	for (int quiet = 0; quiet<2; quiet = connections_unfinished(connections)> 0 ? 0 : quiet + 1) {
		if (monotonic_now_ms() >= deadline_ms) {
			log_warn("shutdown-timeout has passed, requests in flight are cut");
			return;
		}
		running->loop->at_once = asked_again(running);
		if (running->loop->at_once)
			return;
		notify_draining();
		connections_tick(connections);
		drain_lingering(running);
	}
}

int loop_run(struct loop *loop, struct service *service, struct rtreg_error *error)
{
	struct running running = {.loop = loop, .service = service};
	int rc = watch(loop, loop->signal_fd);

	if (rc == 0)
		rc = watch(loop, loop->socket.fd);
	while (rc == 0 && !running.ended)
		rc = loop_step(&running);
	if (rc < 0)
		return error_set(error, rc, "", "the main loop failed: %s", strerror(-rc));
	finish(&running);
	return 0;
}
