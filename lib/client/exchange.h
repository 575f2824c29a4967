/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request and its reply under way on a connection: bytes and lines, with the deadline of the whole. What
 * they mean is message.c's.
 */
#ifndef RTREG_CLIENT_EXCHANGE_H
#define RTREG_CLIENT_EXCHANGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"
#include "client/http.h"

/* Begin with `{.socket, .wait, .fd = -1, .reader = -1}`, the request in `out`, and exchange_begin(). */
struct exchange {
	const char *socket;
	const struct http_wait *wait;
	int64_t begin_ms;
	bool endless; /* no deadline any more, and nobody is told of the waiting */
	int fd;       /* -1: not connected */
	int reader;   /* once nobody reads there any more, receiving ends with -ESTALE; -1: not looked at */
	struct text out;
	size_t sent;
	struct text in; /* received; what stands before `taken` is used up */
	size_t taken;
};

/* Starts the clock. */
void exchange_begin(struct exchange *x);
/* Connects. Returns 0, what connect(2) says, -ENAMETOOLONG, or -ETIMEDOUT. */
int exchange_open(struct exchange *x);
/* Closes the connection and forgets what went over it, so that the request can be sent on another. */
void exchange_abandon(struct exchange *x);
void exchange_fini(struct exchange *x);

/*
 * The next line without its end, valid until the next call. Returns 0, -ETIMEDOUT, -ESTALE, -ENOMEM, -EPROTO
 * for a line that is too long, -ECONNRESET where the connection ends before the line does.
 */
int exchange_line(struct exchange *x, char **ret_line);
/*
 * What is there of the next `max` bytes, at least one, valid until the next call: their number, 0 at the end
 * of the connection, or an error as above.
 */
ssize_t exchange_some(struct exchange *x, size_t max, const char **ret_bytes);

static inline void exchange_finip(struct exchange *x)
{
	exchange_fini(x);
}
#define _cleanup_exchange_ _cleanup_(exchange_finip)

#endif
