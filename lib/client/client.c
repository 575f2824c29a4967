/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, closing, and asking: how a client comes by its connection, and what it says where it gets none. */
#include "client/client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/problems.h"

#define DEFAULT_SOCKET     "/run/rtreg/rtreg.sock"
#define DEFAULT_TIMEOUT_MS 5000

/*
 * What keeps a client from rtregd: codes that would be taken for those of a runtime's binary must not come out
 * of here.
 */
static const struct obstacle {
	int code, meaning;
	const char *advice;
} obstacles[] = {
        {-ENOENT, -ENOTCONN, "start rtregd, or name its socket"},
        {-ECONNREFUSED, -ENOTCONN, "start rtregd, or name its socket"},
        {-ENOTDIR, -ENOTCONN, "name the socket of rtregd"},
        {-EPROTOTYPE, -ENOTCONN, "name the socket of rtregd"},
        {-EACCES, -EPERM, "the socket is for root and for the group that rtregd was given"},
        {-EPERM, -EPERM, "the socket is for root and for the group that rtregd was given"},
};

/* Moves why there was no reply to `error`. Returns its code. */
static int give_up(struct rtreg_error *why, struct rtreg_error *error)
{
	int code = why->code;

	for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++)
		if (obstacles[i].code == code)
			return error_set(error, obstacles[i].meaning, NULL, "%s; %s", why->message,
			                 obstacles[i].advice);
	error_move(error, why);
	return code;
}

static void client_closep(struct rtreg_client **client)
{
	rtreg_client_close(*client);
}

static const char *default_socket(void)
{
	const char *socket = secure_getenv("RTREG_SOCKET");

	return socket && *socket ? socket : DEFAULT_SOCKET;
}

int rtreg_client_open(const char *socket, struct rtreg_client **ret, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	_cleanup_(client_closep) struct rtreg_client *client = calloc(1, sizeof(*client));
	struct http_wait wait = {.timeout_ms = DEFAULT_TIMEOUT_MS};

	if (!client)
		return error_no_memory(error);
	client->connection.fd = client->mapping.fd = -1;
	client->timeout_ms = wait.timeout_ms;
	client->owner = getpid();
	client->socket = strdup(socket ? socket : default_socket());
	if (!client->socket)
		return error_no_memory(error);
	client->connection.socket = client->socket;
	if (http_connect(&client->connection, &wait, &why) < 0)
		return give_up(&why, error);
	*ret = take(client);
	return 0;
}

void rtreg_client_close(struct rtreg_client *client)
{
	if (!client)
		return;
	http_disconnect(&client->connection);
	mapping_fini(&client->mapping);
	arena_free(client->arena);
	free(client->socket);
	free(client);
}

void rtreg_client_set_timeout(struct rtreg_client *client, unsigned int timeout_ms)
{
	client->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
}

void client_leave_to_parent(struct rtreg_client *client)
{
	if (client->owner == getpid())
		return;
	http_disconnect(&client->connection);
	mapping_disconnect(&client->mapping);
	client->owner = getpid();
}

int client_ask(struct rtreg_client *client, const struct http_request *request, struct http_reply *ret,
               struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	struct http_wait wait = {.timeout_ms = client->timeout_ms, .spent_ms = client->spent_ms};

	arena_free(take(client->arena));
	client_leave_to_parent(client);
	if (http_call_again(&client->connection, request, &wait, ret, &why) < 0)
		return give_up(&why, error);
	return 0;
}
