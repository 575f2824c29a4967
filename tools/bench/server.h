/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server on a unix socket, in a process of its own that ends with this one: a program, or a function of this program.
 * And a load on it: connections that each ask again when they have been answered.
 */
#ifndef RTREG_BENCH_SERVER_H
#define RTREG_BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"
#include "bench/bench.h"

struct server {
	char socket[108]; /* "": there is none */
	pid_t pid;
	const char *request;
	size_t request_size, reply_size; /* the second is 0 until it was asked once */
};

/* Runs in the child, and does not return unless it fails; `fd` listens. */
typedef void (*server_fn)(int fd, const void *context);

/* Names its socket, in a folder. -ENAMETOOLONG, which `error` tells. */
int server_place(struct server *server, const char *directory, const char *name, struct rtreg_error *error);
/*
 * Starts a program, whose output goes to /dev/null, or a function. server_wait() waits until its socket can be connected
 * to, which is named by `server`. -errno; -ECHILD: it has ended.
 */
int server_exec(struct server *server, const char *const *arguments);
int server_call(struct server *server, server_fn function, const void *context);
int server_wait(const struct server *server);
/* What those three have returned, for people. */
const char *server_reason(int code);
/* Ends it. One that was never started is allowed. */
void server_stop(struct server *server);
/*
 * Sends a request on a connection of its own; the reply, appended to *ret, ends where the connection is closed, or, unless
 * that is waited for, where no more of it comes for a while.
 */
int server_exchange(const struct server *server, const char *request, size_t size, bool until_closed,
                    struct text *ret);
/* `request`, and the whole of its reply, whose size is kept. */
int server_ask(struct server *server, struct text *ret);
int64_t server_cpu_ns(const struct server *server);
/* Of its threads with this name: how many, and what of their processor time the busiest has used, in percent. */
int server_threads(const struct server *server, const char *name, unsigned *ret_count, double *ret_percent);
int server_memory(const struct server *server, uint64_t *ret_bytes);

/* The bare limit: reads what there is, and sends the same bytes back for each. */
void server_echo(int fd, const void *context);
/* What libmicrohttpd takes for the same bytes. */
void server_constant(int fd, const void *context);

/* Connections to one server. Zeroed is empty. */
struct load {
	struct server *server;
	int epoll_fd;
	size_t count;
	int *fds;
	int64_t *asked_ns;
	int64_t *took_ns; /* sorted after load_run() */
	size_t asked, done, capacity;
};

struct load_figures {
	double cpu_ns, time_ns; /* for each request: of the server's processor time, and of the clock */
	double p50_ns, p99_ns, p999_ns;
};

/* Connects, and asks once on each connection. To be ended with load_fini(), after a failure too. */
int load_init(struct load *load, struct server *server, size_t connections);
void load_fini(struct load *load);
/* Asks `requests` times, or, if that is 0, for about that long. -ECONNRESET: a connection was closed, or something else was answered. */
int load_run(struct load *load, size_t requests, int64_t duration_ns, struct load_figures *ret);

#endif
