/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /v1/containers: what containers were started with (docs/lockins.md). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "events.h"
#include "log.h"
#include "routes.h"
#include "service.h"
#include "values/parse.h"
#include "values/value.h"

static void lock_in_finip(struct rtreg_lock_in *lock_in)
{
	rtreg_lock_in_fini(lock_in);
}
#define _cleanup_lock_in_ _cleanup_(lock_in_finip)

/* --- failures */

static const struct {
	int result;
	unsigned status;
} statuses[] = {
        {-EINVAL, 400}, {-ENOENT, 424}, {-EACCES, 424}, {-EEXIST, 409},
        {-ESRCH, 404},  {-ESTALE, 412}, {-EBUSY, 503},
};

static unsigned status_of(int result)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].result == result)
			return statuses[i].status;
	return 500;
}

static void answer_failure(struct request *request, int result, const struct rtreg_error *error)
{
	struct reply *reply = &request->reply;

	reply->exit_code = rtreg_exit_code(error);
	reply_failure(reply, status_of(result), result, error);
	/* All others are the client's own doing, or told to him alone. */
	if (reply->status == 500)
		log_error("a lock-in failed", "container", request->segment ? request->segment : "", "error",
		          failure_message(result, error));
}

static void answer_no_memory(struct request *request)
{
	reply_message(&request->reply, 500, "out of memory");
}

/* --- what is asked for */

/* False: the query was bad, and `request` is answered. Without the argument *ret stays. */
static bool read_argument(struct request *request, const char *name, char **ret)
{
	int rc = uri_argument(&request->uri, name, ret);

	if (rc == -EINVAL)
		reply_message(&request->reply, 400, "the query has a bad escape");
	else if (rc == -ENOMEM)
		answer_no_memory(request);
	return rc == 0 || rc == -ENOENT;
}

/* What the body of a lock-in says. Strings are of `arena`; NULL where it says nothing. */
struct wish {
	struct arena *arena;
	const char *runtime, *boot_id;
};

static int take_members(const struct value *body, struct wish *ret, struct rtreg_error *error)
{
	for (uint32_t i = 0; i < body->count; i++) {
		const struct member *member = &body->members[i];
		const char **place = strcmp(member->key, "runtime") == 0   ? &ret->runtime
		                     : strcmp(member->key, "boot-id") == 0 ? &ret->boot_id
		                                                           : NULL;

		if (!place)
			return error_set(error, -EINVAL, "body", "unknown member %s: want runtime or boot-id",
			                 member->key);
		if (member->value.type != VALUE_STRING)
			return error_set(error, -EINVAL, "body", "cannot unmarshal %s into %s: want a string",
			                 value_type_name(member->value.type), member->key);
		*place = member->value.string;
	}
	return 0;
}

/* An empty body is an empty object. */
static int read_body(const struct text *body, struct wish *ret, struct rtreg_error *error)
{
	const char *text = text_string(body);
	struct value value;
	int rc;

	if (strspn(text, " \t\r\n") == body->length)
		return 0;
	rc = parse_json(ret->arena, text, body->length, &value, error);
	if (rc < 0)
		return rc;
	if (value.type != VALUE_OBJECT)
		return error_set(error, -EINVAL, "body", "want an object, not %s",
		                 value_type_name(value.type));
	return take_members(&value, ret, error);
}

/* --- what is told of it */

/* Members that are not known are left out. */
static void add_event(const struct request *request, const char *action, const char *root,
                      const struct rtreg_lock_in *lock_in)
{
	_cleanup_text_ struct text attributes = {0};
	char generation[24];

	snprintf(generation, sizeof(generation), "%" PRIu64, lock_in->generation);
	json_open(&attributes, '{');
	if (lock_in->generation > 0)
		json_member_string(&attributes, "generation", generation);
	if (root && *root)
		json_member_string(&attributes, "root", root);
	if (lock_in->runtime)
		json_member_string(&attributes, "runtime", lock_in->runtime);
	if (lock_in->shim)
		json_member_string(&attributes, "shim", lock_in->shim);
	json_close(&attributes, '}');
	events_add(request->service->events, "container", action, request->segment,
	           attributes.failed ? "{}" : text_string(&attributes));
}

/* --- handlers: those that change one take turns, so that events come in the order of what they tell of */

static int make(const struct request *request, const char *root, const struct wish *wish,
                struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	struct rtreg *registry = request->service->registry;
	const char *id = request->segment;
	int rc;

	if (wish->boot_id)
		rc = rtreg_lock_in_for_boot(registry, root, id, wish->runtime, wish->boot_id, ret, error);
	else
		rc = rtreg_lock_in(registry, root, id, wish->runtime, ret, error);
	/* Before the reply: who has had it finds the event. */
	if (rc == 0 && ret->created)
		add_event(request, "lock-in", ret->root, ret);
	return rc;
}

static void lock_in(struct request *request, const char *root, const struct wish *wish)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_lock_in_ struct rtreg_lock_in made = {0};
	struct turn turn;
	int rc;

	turn_begin(&request->service->lock_ins, &turn, request->segment);
	rc = make(request, root, wish, &made, &error);
	turn_end(&request->service->lock_ins, &turn);
	if (rc < 0) {
		answer_failure(request, rc, &error);
		return;
	}
	request->reply.status = made.created ? 201 : 200;
	json_raw(&request->reply.body, made.json);
}

void api_lock_in(struct request *request)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_error_ struct rtreg_error error = {0};
	struct wish wish = {.arena = arena};
	_cleanup_free_ char *root = NULL;
	int rc;

	if (!arena) {
		answer_no_memory(request);
		return;
	}
	if (!read_argument(request, "root", &root))
		return;
	rc = read_body(&request->body, &wish, &error);
	if (rc < 0)
		answer_failure(request, rc, &error);
	else
		lock_in(request, root, &wish);
}

/*
 * Removes the one that is there, and tells what it was. One that cannot be read is removed too, unless the client said
 * which he means.
 */
static int remove_one(struct request *request, const char *root, const char *locked,
                      struct rtreg_error *error)
{
	struct rtreg *registry = request->service->registry;
	_cleanup_lock_in_ struct rtreg_lock_in found = {0};
	int rc = rtreg_locked(registry, root, request->segment, &found, NULL);

	if (rc == 0 && !locked)
		locked = found.locked;
	rc = rtreg_unlock_if(registry, root, request->segment, locked, error);
	if (rc == 0)
		add_event(request, "unlock", found.root ? found.root : root, &found);
	return rc;
}

void api_unlock(struct request *request)
{
	_cleanup_free_ char *root = NULL, *locked = NULL;
	struct turn turn;
	int rc;

	if (!read_argument(request, "root", &root) || !read_argument(request, "locked", &locked))
		return;
	turn_begin(&request->service->lock_ins, &turn, request->segment);
	do {
		_cleanup_error_ struct rtreg_error error = {0};

		rc = remove_one(request, root, locked, &error);
		if (rc == 0)
			request->reply.status = 204;
		else if (rc != -ESTALE || locked)
			answer_failure(request, rc, &error);
		/* Else somebody else was quicker to remove it, and to make another: that one is meant, then. */
	} while (request->reply.status == 0);
	turn_end(&request->service->lock_ins, &turn);
}

void api_show_lock_in(struct request *request)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_lock_in_ struct rtreg_lock_in found = {0};
	_cleanup_free_ char *root = NULL;
	int rc;

	if (!read_argument(request, "root", &root))
		return;
	rc = rtreg_locked(request->service->registry, root, request->segment, &found, &error);
	if (rc < 0) {
		answer_failure(request, rc, &error);
		return;
	}
	request->reply.status = 200;
	json_raw(&request->reply.body, found.json);
}

void api_list_lock_ins(struct request *request)
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct text *body = &request->reply.body;
	struct rtreg_lock_in *found = NULL;
	_cleanup_free_ char *root = NULL;
	size_t count = 0;
	int rc;

	if (!read_argument(request, "root", &root))
		return;
	rc = rtreg_lock_ins(request->service->registry, root, &found, &count, &error);
	if (rc < 0) {
		answer_failure(request, rc, &error);
		return;
	}
	request->reply.status = 200;
	json_open(body, '{');
	json_key(body, "containers");
	json_open(body, '[');
	for (size_t i = 0; i < count; i++)
		json_raw(body, found[i].json);
	json_close(body, ']');
	json_close(body, '}');
	rtreg_lock_ins_free(found, count);
}
