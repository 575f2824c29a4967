/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/daemon.h"

#include <errno.h>
#include <string.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "client/http.h"
#include "values/parse.h"

#define DEFAULT_SOCKET "/run/rtreg/rtreg.sock"
#define LOCK_IN_MS     5000
#define UNLOCK_MS      1000
#define ENGINE_FAILED  125

static const char *socket_path(void)
{
	const char *path = getenv("RTREG_SOCKET");

	return path && *path ? path : DEFAULT_SOCKET;
}

/* `locked` NULL: whichever. */
static void append_target(struct text *target, const struct lock_in_name *name, const char *locked)
{
	text_append(target, "/v1/containers/");
	http_append_encoded(target, name->id);
	text_append(target, "?root=");
	http_append_encoded(target, name->root);
	if (locked) {
		text_append(target, "&locked=");
		http_append_encoded(target, locked);
	}
}

/* A member of a reply, or NULL where there is none, or no JSON. */
static const struct value *reply_member(struct arena *arena, const struct http_reply *reply, const char *name)
{
	struct value root;

	if (parse_json(arena, reply->body, reply->length, &root, NULL) < 0 || root.type != VALUE_OBJECT)
		return NULL;
	return value_member(&root, name);
}

/* What the daemon says of a refusal; what is no such reply is told by its number. */
static int refused(struct arena *arena, const struct http_reply *reply, struct rtreg_error *error)
{
	const char *message = value_string(reply_member(arena, reply, "message"));

	if (message)
		return error_set(error, -EPROTO, NULL, "%s", message);
	return error_set(error, -EPROTO, NULL, "rtregd at %s answered with status %d", socket_path(),
	                 reply->status);
}

static int exit_code_of(struct arena *arena, const struct http_reply *reply)
{
	const struct value *code = reply_member(arena, reply, "exit-code");

	if (!code || code->type != VALUE_INT || code->integer < ENGINE_FAILED ||
	    code->integer > ENGINE_FAILED + 2)
		return ENGINE_FAILED;
	return (int)code->integer;
}

static int unreachable(int code, const struct rtreg_error *why, struct rtreg_error *error)
{
	const char *advice = "is it overloaded, or stopped?";

	if (code == -ENOENT || code == -ECONNREFUSED)
		advice = "start rtregd, or set RTREG_SOCKET to where it listens";
	else if (code == -EACCES || code == -EPERM)
		advice = "this user may not talk to rtregd";
	return error_set(error, code, NULL, "%s; no container was created: %s", why->message, advice);
}

static int call(const struct http_request *request, int timeout_ms, struct http_reply *ret,
                struct rtreg_error *error)
{
	struct http_wait wait = {.timeout_ms = timeout_ms};

	return http_call(socket_path(), request, &wait, ret, error);
}

static int put(struct arena *arena, const char *target, const struct text *body, const char **ret_locked,
               int *ret_exit_code, struct rtreg_error *error)
{
	const struct http_request request = {
	        .method = "PUT", .target = target, .body = body->data, .body_size = body->length};
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_error_ struct rtreg_error why = {0};
	int r = call(&request, LOCK_IN_MS, &reply, &why);

	if (r < 0)
		return unreachable(r, &why, error);
	if (reply.status != 200 && reply.status != 201) {
		*ret_exit_code = exit_code_of(arena, &reply);
		return refused(arena, &reply, error);
	}
	*ret_locked = reply.status == 201 ? value_string(reply_member(arena, &reply, "locked")) : NULL;
	return 0;
}

int daemon_lock_in(struct arena *arena, const struct lock_in_name *name, const char *runtime,
                   const char *boot_id, const char **ret_locked, int *ret_exit_code,
                   struct rtreg_error *error)
{
	_cleanup_text_ struct text target = {0}, body = {0};

	*ret_exit_code = ENGINE_FAILED;
	append_target(&target, name, NULL);
	json_open(&body, '{');
	json_member_string(&body, "runtime", runtime);
	json_member_string(&body, "boot-id", boot_id);
	json_close(&body, '}');
	if (target.failed || body.failed)
		return error_no_memory(error);
	return put(arena, target.data, &body, ret_locked, ret_exit_code, error);
}

int daemon_unlock(const struct lock_in_name *name, const char *locked, struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_text_ struct text target = {0};
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct http_request request = {.method = "DELETE"};
	int r;

	append_target(&target, name, locked);
	if (!arena || target.failed)
		return error_no_memory(error);
	request.target = target.data;
	r = call(&request, UNLOCK_MS, &reply, error);
	if (r < 0)
		return r;
	if (reply.status == 204 || reply.status == 404 || reply.status == 412)
		return 0;
	return refused(arena, &reply, error);
}
