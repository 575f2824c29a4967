/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All connections from accept to close: who is at the other end, how long the present phase may last, and how
 * many are still at work when the daemon stops. The HTTP library has no absolute deadlines of its own; here
 * the main loop's tick finds connections whose deadline has passed, and the threads that the library runs in cut
 * them with shutdown(2), between two of its turns: what it has read by then has reached its handler.
 *
 *	ARRIVING ──(library took it)──▶ HEAD ──(head complete)──▶ BUSY ──(reply sent)──▶ IDLE ──(next request
 *line)──▶ HEAD
 *	BUSY ──(a reply that stays open)──▶ FOLLOWING ──(its end)──▶ IDLE
 *	BUSY ──(upgraded)──▶ UPGRADED
 *
 * A connection that is closed while its peer may still be writing is kept for up to a second more and read
 * from, or the peer would lose the reply.
 */
#ifndef RTREGD_CONNECTIONS_H
#define RTREGD_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	CONNECTIONS_MAX = 1024,
	CONNECTIONS_MAX_PER_UID = 512,
	HEAD_DEADLINE_MS = 5000,
	BODY_DEADLINE_MS = 30000,
	SEND_DEADLINE_MS = 60000, /* and a second for each SEND_SECOND_BYTES */
	SEND_SECOND_BYTES = 65536,
	IDLE_DEADLINE_MS = 60000, /* also for a request line that drips: only a whole one is seen */
	LINGER_MS = 1000,
	TICK_MS = 250,
};

struct connections;
struct connection;

/* `epoll_fd`: where descriptors that are only read from any more are watched. NULL without memory. */
struct connections *connections_new(int epoll_fd);
void connections_free(struct connections *connections);

/* --- from the main loop */

/*
 * Takes a connection into the table. -EAGAIN: there are too many; -EUSERS: of this user; -ENOMEM. `fd` stays the
 * caller's.
 */
int connections_add(struct connections *connections, int fd);
/* Takes it out again: the library refused it. */
void connections_forget(struct connections *connections, int fd);
/* Reads on from a connection that has had its last reply, for a while; takes `fd`. */
void connections_linger(struct connections *connections, int fd);
/* `fd` of connections_linger() has something to read. */
void connections_drain(struct connections *connections, int fd);
/* Called from the tick when a connection is past its deadline: then each thread is to call connections_cut_late(). */
void connections_on_late(struct connections *connections, void (*fn)(void *context), void *context);
/* Looks for what is past its deadline. Returns how long the loop may sleep in ms: -1 if there is no connection. */
int connections_tick(struct connections *connections);
/* No more requests on idle connections; those without a complete head get a second. */
void connections_stop(struct connections *connections);
/* How many there are, those included that are only read from any more. Any thread. */
size_t connections_count(struct connections *connections);
/* How many may still want a reply. Those that follow are not among them. */
size_t connections_unfinished(struct connections *connections);
/* Whether there is one that is owed a reply and has left room for more of it: it is a thread of this side that it waits for. */
bool connections_owe(struct connections *connections);
/* How many follow, and how many were upgraded. */
size_t connections_following(struct connections *connections);
size_t connections_upgraded(struct connections *connections);

/* --- from the library's threads */

/* Cuts those of this thread that are past their deadline. Not from a handler. */
void connections_cut_late(struct connections *connections);
struct connection *connections_started(struct connections *connections, int fd);
void connections_closed(struct connections *connections, struct connection *connection);
void connection_head_begins(struct connection *connection);
void connection_head_complete(struct connection *connection, bool expects_body);
void connection_body_complete(struct connection *connection);
/* Its reply goes out, `size` bytes. */
void connection_sends(struct connection *connection, size_t size);
/* Its reply stays open: no deadline, and a stop does not wait for it. */
void connection_follows(struct connection *connection);
/* It does not speak HTTP any more; the same. */
void connection_upgraded(struct connection *connection);
/* Sets a deadline from now on. */
void connection_give(struct connection *connection, int64_t patience_ms);
/* Its reply comes later, and is owed until the request is done. */
void connection_owes(struct connection *connection);
void connection_request_done(struct connection *connection);
/* Read on after the close. */
void connection_set_linger(struct connection *connection);
bool connections_stopping(const struct connections *connections);

int connection_fd(const struct connection *connection);
const struct ucred *connection_credentials(const struct connection *connection);

#endif
