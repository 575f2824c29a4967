/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A daemon that is played, for tests of clients: a thread that listens at a unix socket and answers each request
 * with the next turn of a script.
 */
#ifndef RTREG_TEST_PLAYED_H
#define RTREG_TEST_PLAYED_H

#include <stddef.h>

enum turn_end {
	TURN_KEEP,  /* waits for the next request on the same connection, or for the client to leave it */
	TURN_CLOSE, /* closes the connection */
	TURN_HOLD,  /* does nothing more until the client has left */
};

struct turn {
	const char *status, *body; /* "200 OK" and what follows the head; or NULL */
	const char *reply;         /* the reply's bytes; NULL: none */
	enum turn_end end;
};

/* {SAYS("200 OK", "{}"), .end = TURN_CLOSE} */
#define SAYS(line, text) .status = (line), .body = (text)

struct played;

/* The texts of the turns are used until played_stop(). Past the last, connections are closed without an answer. */
struct played *played_start(const char *path, const struct turn *turns, size_t count);
void played_stop(struct played *played);

/* Waits until that many connections have come to their end. */
void played_wait_closed(struct played *played, size_t count);
/* How many connections there were, and requests. */
size_t played_connections(struct played *played);
size_t played_requests(struct played *played);
/* The i-th request, head and body; "" if there was none. Belongs to `played`. */
const char *played_request(struct played *played, size_t index);

#endif
