/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PUT, GET and DELETE /v1/containers/ID as the functions on lock-ins. */
#include <errno.h>
#include <string.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "client/client.h"
#include "lockins/lock_in.h"

/* Asks about one container. Names that cannot be one are not asked about: some would be another path. */
static int ask(struct rtreg_client *client, struct http_request *request, const char *root,
               const char *container, struct http_reply *ret, struct rtreg_error *error)
{
	_cleanup_text_ struct text target = {0};
	struct lock_in_name name;
	int result = lock_in_name_init(&name, root, container, error);

	if (result < 0)
		return result;
	text_printf(&target, "/v1/containers/%s", name.id);
	if (*name.root) {
		text_append(&target, "?root=");
		http_append_encoded(&target, name.root);
	}
	if (target.failed)
		return error_no_memory(error);
	request->target = target.data;
	return client_ask(client, request, ret, error);
}

static int read_reply(const struct rtreg_client *client, const struct http_reply *reply,
                      struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	struct rtreg_lock_in lock_in = {0};
	int result;

	if (!ret)
		return 0;
	result = lock_in_parse(reply->body, reply->length, &lock_in, NULL);
	if (result < 0)
		return result == -ENOMEM ? error_no_memory(error) : client_puzzled(client, error);
	lock_in.created = reply->status == 201;
	*ret = lock_in;
	return 0;
}

int rtreg_client_lock_in(struct rtreg_client *client, const char *root, const char *container,
                         const char *runtime, struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_text_ struct text body = {0};
	struct http_request request = {.method = "PUT"};
	int result;

	json_open(&body, '{');
	json_member_string(&body, "runtime", runtime ? runtime : "");
	json_close(&body, '}');
	if (body.failed)
		return error_no_memory(error);
	request.body = body.data;
	request.body_size = body.length;
	result = ask(client, &request, root, container, &reply, error);
	if (result == 0)
		result = client_accept(client, &reply, error);
	return result < 0 ? result : read_reply(client, &reply, ret, error);
}

int rtreg_client_locked(struct rtreg_client *client, const char *root, const char *container,
                        struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct http_request request = {.method = "GET"};
	int result = ask(client, &request, root, container, &reply, error);

	if (result == 0)
		result = client_accept(client, &reply, error);
	return result < 0 ? result : read_reply(client, &reply, ret, error);
}

int rtreg_client_unlock(struct rtreg_client *client, const char *root, const char *container,
                        struct rtreg_error *error)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct http_request request = {.method = "DELETE"};
	int result = ask(client, &request, root, container, &reply, error);

	if (result < 0)
		return result;
	if (reply.status == 404 && reply.repeated)
		return 0;
	return client_accept(client, &reply, error);
}
