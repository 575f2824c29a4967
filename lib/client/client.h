/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands behind <rtreg/client.h>: one connection, and how a reply of rtregd becomes a return value. */
#ifndef RTREG_CLIENT_CLIENT_H
#define RTREG_CLIENT_CLIENT_H

#include <sys/types.h>

#include "base/arena.h"
#include "client/http.h"
#include "client/mapping.h"
#include "rtreg/client.h"

struct rtreg_client {
	char *socket;
	struct http_connection connection;
	int64_t timeout_ms, spent_ms; /* the second: by a call that has not asked yet */
	pid_t owner;                  /* the process that made the connection */
	struct arena *arena;          /* what the last call returned; NULL: nothing */
	uint64_t generation;
	struct mapping mapping;
};

/* A child process shares its parent's connections, and would take replies that are not its own. */
void client_leave_to_parent(struct rtreg_client *client);

/*
 * Asks rtregd; what the call before returned is gone. Returns 0 for a reply of whatever status, which is then
 * the caller's. Errors: as the header of <rtreg/client.h> has them.
 */
int client_ask(struct rtreg_client *client, const struct http_request *request, struct http_reply *ret,
               struct rtreg_error *error);

/* 0 for a reply that says yes; else the error that its status stands for, with the message that it has. */
int client_accept(const struct rtreg_client *client, const struct http_reply *reply,
                  struct rtreg_error *error);

/* Says that a reply is not what rtregd answers. Returns -EPROTO. */
int client_puzzled(const struct rtreg_client *client, struct rtreg_error *error);

#endif
