/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nearest.h"

#include <string.h>

#include "base/suggest.h"
#include "client/http.h"
#include "reply.h"
#include "say.h"

#define PATIENCE_MS 2000 /* for what is a courtesy */

void nearest_runtime(const struct ctl *ctl, const char *name)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_reply_ struct json_object *root = NULL;
	_cleanup_free_ const char **names = NULL;
	struct http_request request = {.method = "GET", .target = "/v1/runtimes"};
	struct http_wait wait = {.timeout_ms = ctl->timeout_ms < PATIENCE_MS ? ctl->timeout_ms : PATIENCE_MS};
	struct suggestion near = {.name = name};

	if (http_call(ctl->socket, &request, &wait, &reply, NULL) < 0)
		return;
	root = reply_parse(reply.body, reply.length);
	names = reply_keys(reply_object(root, "runtimes"));
	for (const char **known = names; known && *known; known++)
		suggest_offer(&near, *known);
	/* one of that very name is there, and the error about something else */
	if (near.nearest && strcmp(near.nearest, name) != 0)
		say_detail("did you mean \"%s\"?", near.nearest);
}
