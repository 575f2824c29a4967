/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/http.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/problems.h"
#include "client/message.h"

void http_reply_fini(struct http_reply *reply)
{
	free(reply->body);
	*reply = (struct http_reply){0};
}

void http_append_encoded(struct text *target, const char *string)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *string; string++)
		if (strchr(unreserved, *string))
			text_append_char(target, *string);
		else
			text_printf(target, "%%%02X", (unsigned char)*string);
}

/* Says why an exchange failed. Returns `code`, or the one that stands for it. */
static int explain(const struct exchange *x, int code, struct rtreg_error *error)
{
	if (code == -ETIMEDOUT)
		return error_set(error, code, NULL, "no answer from rtregd at %s within %g s", x->socket,
		                 (double)x->wait->timeout_ms / 1000);
	if (x->fd < 0)
		return error_set(error, code, NULL, "cannot connect to %s: %s", x->socket, strerror(-code));
	switch (code) {
	case -EPROTO:
		return error_set(error, code, NULL, "what answers at %s does not speak HTTP as rtregd does",
		                 x->socket);
	case -ECONNRESET:
	case -EPIPE:
		return error_set(error, -ECONNRESET, NULL,
		                 "rtregd at %s closed the connection before its reply was complete",
		                 x->socket);
	case -EFBIG:
		return error_set(error, code, NULL, "the reply of rtregd at %s is larger than %zu MiB",
		                 x->socket, REPLY_LENGTH_MAX >> 20);
	default:
		return error_set(error, code, NULL, "cannot talk to rtregd at %s: %s", x->socket,
		                 strerror(-code));
	}
}

/* Sends the request on the connection that there is, or on a new one, and takes the reply. */
static int attempt(struct exchange *x, const struct http_stream *stream, struct http_reply *ret,
                   bool *ret_keep)
{
	int result = x->fd < 0 ? exchange_open(x) : 0;

	return result < 0 ? result : message_take(x, stream, ret, ret_keep);
}

/* As http_stream(), or http_call() without a `stream`. */
static int exchange_messages(const char *socket, const struct http_request *request,
                             const struct http_wait *wait, const struct http_stream *stream,
                             struct http_reply *ret, struct rtreg_error *error)
{
	_cleanup_exchange_ struct exchange x = {
	        .socket = socket, .wait = wait, .fd = -1, .reader = stream ? stream->reader : -1};
	bool keep;
	int result;

	message_write(&x.out, request, false);
	if (x.out.failed)
		return error_no_memory(error);
	exchange_begin(&x);
	result = attempt(&x, stream, ret, &keep);
	return result < 0 ? explain(&x, result, error) : result;
}

int http_call(const char *socket, const struct http_request *request, const struct http_wait *wait,
              struct http_reply *ret, struct rtreg_error *error)
{
	return exchange_messages(socket, request, wait, NULL, ret, error);
}

int http_stream(const char *socket, const struct http_request *request, const struct http_wait *wait,
                const struct http_stream *stream, struct http_reply *ret, struct rtreg_error *error)
{
	return exchange_messages(socket, request, wait, stream, ret, error);
}

int http_connect(struct http_connection *connection, const struct http_wait *wait, struct rtreg_error *error)
{
	_cleanup_exchange_ struct exchange x = {
	        .socket = connection->socket, .wait = wait, .fd = -1, .reader = -1};
	int result;

	exchange_begin(&x);
	result = exchange_open(&x);
	if (result < 0)
		return explain(&x, result, error);
	http_disconnect(connection);
	connection->fd = take_fd(&x.fd);
	return 0;
}

void http_disconnect(struct http_connection *connection)
{
	cleanup_closep(&connection->fd);
	connection->fd = -1;
}

/*
 * Between two replies the daemon has nothing to say: what can be read is the end of the connection, or why it
 * ends. Seen before anything is sent, it leaves no doubt about what has been done.
 */
static bool is_quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

int http_call_again(struct http_connection *connection, const struct http_request *request,
                    const struct http_wait *wait, struct http_reply *ret, struct rtreg_error *error)
{
	_cleanup_exchange_ struct exchange x = {
	        .socket = connection->socket, .wait = wait, .fd = take_fd(&connection->fd), .reader = -1};
	bool keep = false, repeated;
	int result;

	message_write(&x.out, request, true);
	if (x.out.failed)
		return error_no_memory(error);
	exchange_begin(&x);
	if (x.fd >= 0 && !is_quiet(x.fd))
		exchange_abandon(&x);
	result = attempt(&x, NULL, ret, &keep);
	repeated = result == -ECONNRESET || result == -EPIPE;
	if (repeated) {
		exchange_abandon(&x);
		result = attempt(&x, NULL, ret, &keep);
	}
	if (result < 0)
		return explain(&x, result, error);
	ret->repeated = repeated;
	if (keep)
		connection->fd = take_fd(&x.fd);
	return 0;
}
