/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json_write.h"
#include "followers.h"

void reply_fini(struct reply *reply)
{
	text_fini(&reply->body);
	follower_free(reply->follower);
	*reply = (struct reply){0};
}

static void begin_error(struct reply *reply, unsigned status, const char *message)
{
	text_fini(&reply->body);
	reply->status = status;
	reply->content_type = NULL;
	json_open(&reply->body, '{');
	json_member_string(&reply->body, "message", message);
	if (reply->exit_code > 0)
		json_member_int(&reply->body, "exit-code", reply->exit_code);
}

void reply_message(struct reply *reply, unsigned status, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	begin_error(reply, status, message ? message : "out of memory");
	json_close(&reply->body, '}');
}

void reply_failure(struct reply *reply, unsigned status, int result, const struct rtreg_error *error)
{
	begin_error(reply, status, failure_message(result, error));
	if (error->more && error->more->count > 0) {
		json_key(&reply->body, "errors");
		failure_append(&reply->body, result, error);
	}
	json_close(&reply->body, '}');
}

const char *failure_message(int result, const struct rtreg_error *error)
{
	return error->message[0] ? error->message : strerror(-result);
}

void failure_append(struct text *text, int result, const struct rtreg_error *error)
{
	json_open(text, '[');
	json_string(text, failure_message(result, error));
	for (size_t i = 0; error->more && i < error->more->count; i++)
		json_string(text, error->more->errors[i].message);
	json_close(text, ']');
}

void reply_write_raw(int fd, unsigned status, const char *message)
{
	_cleanup_text_ struct text body = {0}, whole = {0};

	json_open(&body, '{');
	json_member_string(&body, "message", message);
	json_close(&body, '}');
	text_printf(&whole,
	            "HTTP/1.1 %u Refused\r\nConnection: close\r\nContent-Type: application/json\r\n"
	            "Content-Length: %zu\r\n\r\n%s",
	            status, body.length, text_string(&body));
	if (!body.failed && !whole.failed)
		(void)!send(fd, whole.data, whole.length, MSG_DONTWAIT | MSG_NOSIGNAL);
}
