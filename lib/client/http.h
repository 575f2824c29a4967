/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of HTTP/1.1 that requests to rtregd need: a connection to a unix socket for each request or for one
 * after the other, the reply delimited by Content-Length, chunks, or the end of the connection, and one
 * deadline for all of it; and replies that go on, line by line.
 */
#ifndef RTREG_CLIENT_HTTP_H
#define RTREG_CLIENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "rtreg/rtreg.h"

struct http_request {
	const char *method, *target; /* `target` is encoded already */
	const char *if_match;        /* the header's value, or NULL */
	const void *body;            /* NULL: none */
	size_t body_size;
};

/* How long to wait. `waiting` (NULL allowed) is called some ten times a second meanwhile. */
struct http_wait {
	int64_t timeout_ms;
	int64_t spent_ms; /* of it, before the call */
	void (*waiting)(void *context, int64_t elapsed_ms);
	void *context;
};

struct http_reply {
	int status;
	char *body; /* malloc'ed, NUL-terminated, "" if there is none */
	size_t length;
	bool repeated; /* http_call_again() had to ask twice */
};

void http_reply_fini(struct http_reply *reply);

/*
 * Sends `request` to the daemon at `socket` and receives its reply, whatever the status. Ownership: *ret is
 * the caller's (http_reply_fini()).
 * Errors: what connect(2) says, -ENAMETOOLONG for the path; -ETIMEDOUT; -ECONNRESET the connection ended
 * before the reply did; -EPROTO no HTTP, or none that is understood here; -EFBIG; -ENOMEM.
 */
int http_call(const char *socket, const struct http_request *request, const struct http_wait *wait,
              struct http_reply *ret, struct rtreg_error *error);

/* A connection that is kept for further requests. Begin with `{.socket, .fd = -1}`. */
struct http_connection {
	const char *socket;
	int fd; /* -1: none */
};

/* Connects ahead of the first request. Errors: those of http_call(). */
int http_connect(struct http_connection *connection, const struct http_wait *wait, struct rtreg_error *error);
void http_disconnect(struct http_connection *connection);

/*
 * As http_call(), on a connection that is opened where there is none and kept where that is possible. One that
 * the daemon has closed meanwhile is replaced in silence. If it ends before the reply does, the request is sent
 * once more on a new one and ret->repeated is true: so it must be one that may be done twice.
 */
int http_call_again(struct http_connection *connection, const struct http_request *request,
                    const struct http_wait *wait, struct http_reply *ret, struct rtreg_error *error);

/* What becomes of a reply that comes line by line. */
struct http_stream {
	/* One line, without its end and with a NUL in its place: 0 to go on, 1 if that is enough. */
	int (*line)(void *context, const char *line, size_t length);
	void *context;
	bool endless; /* once the head is there nothing has a deadline, and nobody is told of the waiting */
	int reader;   /* the descriptor that the lines go to: no reader there, no stream; -1: not looked at */
};

/*
 * As http_call(), but the body of a reply that says yes (2xx) goes to `stream` while it comes, and is not in
 * *ret. Returns 0 at the end of the reply, 1 where line() had enough; an error may come behind any line.
 * Errors: those of http_call(), and -ESTALE where the reader has gone.
 */
int http_stream(const char *socket, const struct http_request *request, const struct http_wait *wait,
                const struct http_stream *stream, struct http_reply *ret, struct rtreg_error *error);

/* Appends `string` percent-encoded: everything but RFC 3986's unreserved characters. */
void http_append_encoded(struct text *target, const char *string);

static inline void http_reply_finip(struct http_reply *reply)
{
	http_reply_fini(reply);
}
#define _cleanup_http_reply_ _cleanup_(http_reply_finip)

#endif
