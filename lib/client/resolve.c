/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/resolve as a struct rtreg_runtime. */
#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "client/client.h"
#include "values/parse.h"

#define RUNC_SHIM "io.containerd.runc.v2"

/* The options as JSON text in the arena; *ret is NULL where there are none. */
static int write_options(struct arena *arena, const struct value *options, const char **ret)
{
	_cleanup_text_ struct text text = {0};

	if (!options || options->type != VALUE_OBJECT || options->count == 0) {
		*ret = NULL;
		return 0;
	}
	value_write(&text, options);
	*ret = text.failed ? NULL : arena_strndup(arena, text.data, text.length);
	return *ret ? 0 : -ENOMEM;
}

/* -EPROTO: this is no such reply. */
static int read_runtime(struct arena *arena, const struct value *root, struct rtreg_runtime *ret,
                        uint64_t *ret_generation)
{
	const struct value *options = value_member(root, "options"),
	                   *generation = value_member(root, "generation");
	struct rtreg_runtime runtime = {.name = value_string(value_member(root, "name")),
	                                .shim = value_string(value_member(root, "shim"))};

	if (!runtime.name || !runtime.shim || !generation || generation->type != VALUE_INT)
		return -EPROTO;
	if (options && strcmp(runtime.shim, RUNC_SHIM) == 0)
		runtime.binary = value_string(value_member(options, "BinaryName"));
	if (write_options(arena, options, &runtime.options_json) < 0)
		return -ENOMEM;
	runtime.name_length = (uint32_t)strlen(runtime.name);
	runtime.shim_length = (uint32_t)strlen(runtime.shim);
	*ret = runtime;
	*ret_generation = (uint64_t)generation->integer;
	return 0;
}

static int read_reply(struct rtreg_client *client, const struct http_reply *reply, struct rtreg_runtime *ret,
                      struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct value root;
	int result;

	if (!arena)
		return error_no_memory(error);
	result = parse_json(arena, reply->body, reply->length, &root, NULL);
	if (result == 0)
		result = read_runtime(arena, &root, ret, &client->generation);
	if (result < 0)
		return result == -ENOMEM ? error_no_memory(error) : client_puzzled(client, error);
	client->arena = take(arena);
	return 0;
}

int rtreg_client_resolve(struct rtreg_client *client, const char *name, struct rtreg_runtime *ret,
                         struct rtreg_error *error)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_text_ struct text target = {0};
	struct http_request request = {.method = "GET"};
	int result;

	text_append(&target, "/v1/resolve?runtime=");
	http_append_encoded(&target, name ? name : "");
	if (target.failed)
		return error_no_memory(error);
	request.target = target.data;
	result = client_ask(client, &request, &reply, error);
	if (result == 0)
		result = client_accept(client, &reply, error);
	return result < 0 ? result : read_reply(client, &reply, ret, error);
}

uint64_t rtreg_client_generation(const struct rtreg_client *client)
{
	return client->generation;
}
