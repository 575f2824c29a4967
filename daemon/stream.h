/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies that go on: a follower, and the connection that it is told over, which is suspended while there is
 * nothing to say. Context of everything here: the one thread that drives the connection.
 */
#ifndef RTREGD_STREAM_H
#define RTREGD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

struct MHD_Response;
struct request;
struct stream;

/* The streams of one request thread. Zeroed but for the descriptor it is empty. */
struct streams {
	struct stream *first;
	int64_t due_ms; /* when to look at them without being told to */
	int epoll_fd;   /* where EPOLLHUP or EPOLLERR tells that one's client has gone */
};

/* A response that tells request->reply.follower, which it takes. NULL without memory. */
struct MHD_Response *stream_new(struct request *request);

/* Looks at all of them if that is due, or `now`: something has happened. */
void streams_serve(struct streams *streams, bool now);
/* How long until they are due; -1: there are none. */
int streams_timeout_ms(const struct streams *streams);
/* Has those that wait closed by the library's next run. */
void streams_cut(struct streams *streams);

#endif
