/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a reply that says no to the code that the function in process would have returned (docs/lockins.md). */
#include <errno.h>

#include "base/problems.h"
#include "client/client.h"
#include "values/parse.h"

#define NOT_EXECUTABLE 126 /* an engine's exit code */

static const struct refusal {
	int status, code;
} refusals[] = {
        {400, -EINVAL}, {403, -EPERM},  {404, -ESRCH},  {409, -EEXIST}, {412, -ESTALE}, {413, -EINVAL},
        {414, -EINVAL}, {424, -ENOENT}, {431, -EINVAL}, {500, -EIO},    {503, -EAGAIN},
};

static int code_of(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].status == status)
			return refusals[i].code;
	return -EPROTO;
}

/* One status stands for both things that the look-up of a binary can find. */
static bool is_not_executable(const struct value *body)
{
	const struct value *code = value_member(body, "exit-code");

	return code && code->type == VALUE_INT && code->integer == NOT_EXECUTABLE;
}

int client_accept(const struct rtreg_client *client, const struct http_reply *reply,
                  struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct value body = {.type = VALUE_NULL};
	const char *message;
	int code;

	if (reply->status >= 200 && reply->status < 300)
		return 0;
	arena = arena_new();
	if (!arena)
		return error_no_memory(error);
	if (parse_json(arena, reply->body, reply->length, &body, NULL) == -ENOMEM)
		return error_no_memory(error);
	code = code_of(reply->status);
	if (reply->status == 424 && is_not_executable(&body))
		code = -EACCES;
	message = value_string(value_member(&body, "message"));
	if (message)
		return error_set(error, code, NULL, "%s", message);
	return error_set(error, code, NULL, "rtregd at %s answered with HTTP status %d", client->socket,
	                 reply->status);
}

int client_puzzled(const struct rtreg_client *client, struct rtreg_error *error)
{
	return error_set(error, -EPROTO, NULL, "the reply of rtregd at %s is not what was asked for",
	                 client->socket);
}
