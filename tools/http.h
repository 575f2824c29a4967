/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of HTTP/1.1 that one request to rtregd needs: a connection to a unix socket for each request, the
 * reply delimited by Content-Length, chunks, or the end of the connection, and one deadline for all of it.
 */
#ifndef RTREG_TOOLS_HTTP_H
#define RTREG_TOOLS_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
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
	void (*waiting)(void *context, int64_t elapsed_ms);
	void *context;
};

struct http_reply {
	int status;
	char *body; /* malloc'ed, NUL-terminated, "" if there is none */
	size_t length;
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

static inline void http_reply_finip(struct http_reply *reply)
{
	http_reply_fini(reply);
}
#define _cleanup_http_reply_ _cleanup_(http_reply_finip)

#endif
