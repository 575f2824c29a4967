/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The HTTP side of the socket: a number of threads, each with connections of its own that the main loop hands
 * out in turn. (Threads that share one listening socket leave nearly all connections to one of them.)
 */
#ifndef RTREGD_SERVER_H
#define RTREGD_SERVER_H

#include <stdint.h>

#include "service.h"

struct server;

/* service->connections, ->events and ->reloads are there. -ENOMEM, -EAGAIN. */
int server_new(struct service *service, unsigned threads, struct server **ret);
/* How long to wait for replies: at most; and where no client leaves room for them. */
struct flush_times {
	int64_t all_ms, no_room_ms;
};

/*
 * Waits until every request that was suspended and resumed has had its reply, or its time has passed. Context: nothing
 * is suspended any more.
 */
void server_flush(struct server *server, struct connections *connections, const struct flush_times *times);
/* Cuts what is still connected. All suspended requests have been resumed. NULL is allowed. */
void server_free(struct server *server);
/* Hands out an accepted connection; takes `fd`, whatever comes of it. Context: the main loop. */
void server_take(struct server *server, int fd);

#endif
