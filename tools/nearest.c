/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nearest.h"

#include <string.h>

#include "base/suggest.h"
#include "client/http.h"
#include "reply.h"
#include "say.h"

#define PATIENCE_MS 2000 /* for what is a courtesy */

/* NULL where rtregd does not tell. */
static struct json_object *get(const struct ctl *ctl, const char *target)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct http_request request = {.method = "GET", .target = target};
	struct http_wait wait = {.timeout_ms = ctl->timeout_ms < PATIENCE_MS ? ctl->timeout_ms : PATIENCE_MS};

	if (http_call(ctl->socket, &request, &wait, &reply, NULL) < 0)
		return NULL;
	return reply_parse(reply.body, reply.length);
}

void nearest_runtime(const struct ctl *ctl, const char *name)
{
	_cleanup_reply_ struct json_object *root = get(ctl, "/v1/runtimes");
	_cleanup_free_ const char **names = NULL;
	struct suggestion near = {.name = name};

	names = reply_keys(reply_object(root, "runtimes"));
	for (const char **known = names; known && *known; known++)
		suggest_offer(&near, *known);
	/* one of that very name is there, and the error about something else */
	if (near.nearest && strcmp(near.nearest, name) != 0)
		say_detail("did you mean \"%s\"?", near.nearest);
}

void nearest_lock_in(const struct ctl *ctl, const char *id)
{
	_cleanup_reply_ struct json_object *root = get(ctl, "/v1/containers");
	struct json_object *containers = reply_array(root, "containers");

	for (size_t i = 0; i < reply_count(containers); i++) {
		struct json_object *lock_in = reply_item(containers, i);
		const char *there = reply_string(lock_in, "root");

		if (strcmp(reply_string(lock_in, "id"), id) != 0)
			continue;
		if (*there)
			say_detail("one of that name is locked in with --root %s", there);
		else
			say_detail("one of that name is locked in without --root");
	}
}
