/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/problems.h"
#include "say.h"

#define DEFAULT_RUNTIME "/v1/default-runtime"

static void waiting(void *context, int64_t elapsed_ms)
{
	say_waiting(context, elapsed_ms);
}

/*
 * The kernel refuses a connection to another kind of file as it does one to a socket that nobody listens at.
 */
static bool is_another_file(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && !S_ISSOCK(found.st_mode);
}

/* What to do about a daemon that cannot be reached. */
static void advise(int code, const char *socket, const struct http_request *request)
{
	if (code == -ECONNREFUSED && is_another_file(socket))
		say_detail("that is no socket; name the one of rtregd with -s");
	else if (code == -ENOENT || code == -ECONNREFUSED || code == -ENOTSOCK || code == -ENOTDIR)
		say_detail("is rtregd running? start it, or name its socket with -s");
	else if (code == -EACCES || code == -EPERM)
		say_detail(
		        "the socket is for root and for the group that rtregd was given: become one of them");
	else if (code == -ETIMEDOUT && strcmp(request->method, "GET") != 0)
		say_detail("it may still be done; --timeout SECONDS waits longer");
	else if (code == -ETIMEDOUT)
		say_detail("--timeout SECONDS waits longer");
}

/* The errors behind the first one, which is the message itself. */
static void say_more(struct json_object *errors, const char *message)
{
	for (size_t i = 0; i < reply_count(errors); i++) {
		struct json_object *item = reply_item(errors, i);
		const char *more = reply_message(item);

		if (*more && !(i == 0 && strcmp(more, message) == 0))
			say_detail_at(reply_string(item, "where"), more);
	}
}

/* A runtime that is not there is bad input (400) to the daemon. */
static bool is_unknown_runtime(const struct http_request *request, const struct http_reply *reply,
                               const char *message)
{
	static const char unknown[] = "unknown or invalid runtime name";
	static const char unknown_default[] = "specified default runtime '"; /* C40 */

	if (reply->status != 400)
		return false;
	return strncmp(message, unknown, strlen(unknown)) == 0 ||
	       (strcmp(request->target, DEFAULT_RUNTIME) == 0 &&
	        strncmp(message, unknown_default, strlen(unknown_default)) == 0);
}

/* Says what the daemon said no to. */
static int refused(const struct http_request *request, const struct http_reply *reply)
{
	_cleanup_reply_ struct json_object *root = reply_parse(reply->body, reply->length);
	const char *message = reply_string(root, "message");

	if (!*message) {
		say_error("rtregd answered with HTTP status %d and no message", reply->status);
		return reply->status == 404 ? EXIT_NOT_FOUND : EXIT_REFUSED;
	}
	say_error("%s", message);
	say_more(reply_array(root, "errors"), message);
	if (reply->status == 424 && reply_uint(root, "exit-code") > 0)
		say_detail("an engine would exit with %u", (unsigned)reply_uint(root, "exit-code"));
	if (reply->status == 404 || is_unknown_runtime(request, reply, message))
		return EXIT_NOT_FOUND;
	return EXIT_REFUSED;
}

static int failed(const struct ctl *ctl, const struct http_request *request, int result,
                  const struct rtreg_error *error)
{
	say_error("%s", error->message);
	advise(result, ctl->socket, request);
	return EXIT_NO_DAEMON;
}

static bool says_yes(const struct http_reply *reply)
{
	return reply->status >= 200 && reply->status < 300;
}

int call_text(const struct ctl *ctl, const struct http_request *request, struct http_reply *ret_reply)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_http_reply_ struct http_reply reply = {0};
	int64_t state = 0;
	struct http_wait wait = {.timeout_ms = ctl->timeout_ms, .waiting = waiting, .context = &state};
	int result = http_call(ctl->socket, request, &wait, &reply, &error);

	say_waiting_end(&state);
	if (result < 0)
		return failed(ctl, request, result, &error);
	if (!says_yes(&reply))
		return refused(request, &reply);
	*ret_reply = reply;
	reply = (struct http_reply){0};
	return EXIT_DONE;
}

int call(const struct ctl *ctl, const struct http_request *request, struct http_reply *ret_reply,
         struct json_object **ret_root)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct json_object *root;
	int code = call_text(ctl, request, &reply);

	if (code != EXIT_DONE)
		return code;
	root = reply_parse(reply.body, reply.length);
	if (!root) {
		say_error("the reply of rtregd at %s is not JSON", ctl->socket);
		return EXIT_NO_DAEMON;
	}
	*ret_root = root;
	*ret_reply = reply;
	reply = (struct http_reply){0};
	return EXIT_DONE;
}

/* A stream with the progress line in front of it. */
struct observed {
	const struct http_stream *stream;
	int64_t state;
};

static void waiting_for_lines(void *context, int64_t elapsed_ms)
{
	struct observed *observed = context;

	say_waiting(&observed->state, elapsed_ms);
}

static void end_waiting(struct observed *observed)
{
	say_waiting_end(&observed->state);
	observed->state = 0;
}

static int hand_on(void *context, const char *line, size_t length)
{
	struct observed *observed = context;

	end_waiting(observed);
	return observed->stream->line(observed->stream->context, line, length);
}

int call_stream(const struct ctl *ctl, const struct http_request *request, const struct http_stream *stream,
                bool *ret_left)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct observed observed = {.stream = stream};
	struct http_stream ours = *stream;
	/* whoever follows expects to wait */
	struct http_wait wait = {.timeout_ms = ctl->timeout_ms,
	                         .waiting = stream->endless ? NULL : waiting_for_lines,
	                         .context = &observed};
	int result;

	ours.line = hand_on;
	ours.context = &observed;
	result = http_stream(ctl->socket, request, &wait, &ours, &reply, &error);
	end_waiting(&observed);
	*ret_left = result == 1 || result == -ESTALE;
	if (*ret_left)
		return EXIT_DONE;
	if (result < 0)
		return failed(ctl, request, result, &error);
	return says_yes(&reply) ? EXIT_DONE : refused(request, &reply);
}

void call_print(const struct http_reply *reply, FILE *out)
{
	fwrite(reply->body, 1, reply->length, out);
	if (reply->length > 0 && reply->body[reply->length - 1] != '\n')
		fputc('\n', out);
}

int call_and_show(const struct ctl *ctl, const struct http_request *request, show_fn show,
                  const void *context)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_reply_ struct json_object *root = NULL;
	int code = call(ctl, request, &reply, &root);

	if (code != EXIT_DONE)
		return code;
	if (!ctl->json)
		return show(root, context);
	call_print(&reply, stdout);
	return EXIT_DONE;
}

int call_get(const struct ctl *ctl, const char *target, show_fn show, const void *context)
{
	struct http_request request = {.method = "GET", .target = target};

	return call_and_show(ctl, &request, show, context);
}

int call_lacks(const char *what)
{
	say_error("the reply of rtregd lacks \"%s\"", what);
	return EXIT_NO_DAEMON;
}
