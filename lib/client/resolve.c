/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/resolve as a struct rtreg_runtime, or what is mapped of it. */
#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "base/statistics.h"
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

/* The reply's runtime goes to `ret`, unless it is NULL. */
static int ask(struct rtreg_client *client, const char *name, struct rtreg_runtime *ret,
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
	return result < 0 || !ret ? result : read_reply(client, &reply, ret, error);
}

static int resolve_mapped(struct rtreg_client *client, const char *name, struct rtreg_runtime *ret,
                          struct rtreg_error *error)
{
	int result = mapping_resolve(&client->mapping, name, ret, error);

	if (result == 0)
		client->generation = client->mapping.snapshot.generation;
	return result;
}

static bool is_nobody_there(int result)
{
	return result == -ENOTCONN || result == -ECONNRESET || result == -EAGAIN;
}

/* Over the socket, or from memory once that is fetched. */
static int fetch_or_ask(struct rtreg_client *client, const char *name, struct rtreg_runtime *ret,
                        struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	struct mapping *mapping = &client->mapping;
	int64_t began_ns = statistics_now_ns();
	int result;

	client_leave_to_parent(client);
	if (mapping_fetch(mapping, client->socket, client->timeout_ms))
		return resolve_mapped(client, name, ret, error);
	client->spent_ms = (statistics_now_ns() - began_ns) / 1000000;
	result = ask(client, name, ret, &why);
	client->spent_ms = 0;
	if (result == 0)
		mapping_note(mapping, client->generation);
	else if (is_nobody_there(result) && mapping_may_be_stale(mapping))
		return resolve_mapped(client, name, ret, error);
	else
		error_move(error, &why);
	return result;
}

/* The name may be part of the answer before, and memory is looked into when the socket has been asked. */
static int resolve_anew(struct rtreg_client *client, const char *name, struct rtreg_runtime *ret,
                        struct rtreg_error *error)
{
	struct arena *before = take(client->arena);
	int result = fetch_or_ask(client, name, ret, error);

	arena_free(before);
	return result;
}

int rtreg_client_resolve(struct rtreg_client *client, const char *name, struct rtreg_runtime *ret,
                         struct rtreg_error *error)
{
	int result;

	if (mapping_is_current(&client->mapping))
		return resolve_mapped(client, name, ret, error);
	if (!client->mapping.wanted)
		return ask(client, name, ret, error);
	result = resolve_anew(client, name, ret, error);
	mapping_settle(&client->mapping);
	return result;
}

void rtreg_client_map(struct rtreg_client *client)
{
	client->mapping.wanted = true;
}

void rtreg_client_set_stale(struct rtreg_client *client, bool allowed)
{
	client->mapping.stale = allowed;
}

bool rtreg_client_mapped(const struct rtreg_client *client)
{
	return mapping_is_current(&client->mapping);
}

int rtreg_client_check(struct rtreg_client *client, const char *name, struct rtreg_error *error)
{
	return ask(client, name, NULL, error);
}

uint64_t rtreg_client_generation(const struct rtreg_client *client)
{
	return client->generation;
}
