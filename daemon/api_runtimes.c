/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/runtimes, /v1/runtimes/NAME, /v1/resolve. */
#include "rcu.h" /* before everything that includes the public header */

#include <errno.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "routes.h"
#include "service.h"
#include "timestamp.h"

/* How long a look-up that found the binary is remembered (docs/protocol.md). */
#define LOOKUP_KEEP_NS NS_PER_S

void api_list_runtimes(struct request *request)
{
	struct reply *reply = &request->reply;
	const struct rtreg_snapshot *snapshot;
	_cleanup_free_ char *json = NULL;

	rcu_read_lock();
	snapshot = rtreg_borrow(request->service->registry);
	reply->generation = rtreg_snapshot_generation(snapshot);
	json = rtreg_snapshot_runtimes_json(snapshot);
	rtreg_tsan_reader_done(request->service->registry);
	rcu_read_unlock();
	if (!json) {
		reply_message(reply, 500, "out of memory");
		return;
	}
	reply->status = 200;
	reply->keep_ns = KEEP_FOREVER;
	json_raw(&reply->body, json);
}

static void append_runtime(struct reply *reply, const struct rtreg_runtime *runtime, bool with_features)
{
	struct text *body = &reply->body;

	reply->status = 200;
	json_open(body, '{');
	json_member_uint(body, "generation", reply->generation);
	json_key(body, "name");
	json_string_n(body, runtime->name, runtime->name_length);
	json_key(body, "shim");
	json_string_n(body, runtime->shim, runtime->shim_length);
	json_member_raw(body, "options", runtime->options_json ? runtime->options_json : "{}");
	if (with_features)
		json_member_raw(body, "features", runtime->features_json);
	json_close(body, '}');
}

/*
 * Answers from one snapshot. Returns false, without an answer, if the binary has to be looked up: that may
 * block, which a reader section must not.
 */
static bool answer_from(const struct rtreg_snapshot *snapshot, const char *name, bool may_block,
                        bool with_features, struct reply *reply)
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct rtreg_runtime runtime = {0};
	int rc;

	reply->generation = rtreg_snapshot_generation(snapshot);
	rc = rtreg_resolve(snapshot, name, &runtime, &error);
	if (rc < 0) {
		reply_failure(reply, rc == -EINVAL ? 400 : 500, rc, &error);
		return true;
	}
	if (runtime.wrapper) {
		if (!may_block)
			return false;
		rc = rtreg_runtime_check(&runtime, &error);
	}
	if (rc < 0) {
		reply->exit_code = rtreg_exit_code(&error);
		reply_failure(reply, 424, rc, &error);
	} else {
		reply->keep_ns = runtime.wrapper ? LOOKUP_KEEP_NS : KEEP_FOREVER;
		append_runtime(reply, &runtime, with_features);
	}
	return true;
}

static void answer(struct request *request, const char *name, bool with_features)
{
	struct rtreg *registry = request->service->registry;
	const struct rtreg_snapshot *snapshot;
	bool answered;

	rcu_read_lock();
	answered = answer_from(rtreg_borrow(registry), name, false, with_features, &request->reply);
	rtreg_tsan_reader_done(registry);
	rcu_read_unlock();
	if (answered)
		return;
	snapshot = rtreg_pin(registry);
	answer_from(snapshot, name, true, with_features, &request->reply);
	rtreg_unpin(snapshot);
}

void api_show_runtime(struct request *request)
{
	answer(request, request->segment, true);
}

void api_resolve(struct request *request)
{
	_cleanup_free_ char *name = NULL;
	int rc = uri_argument(&request->uri, "runtime", &name);

	if (rc == -EINVAL)
		reply_message(&request->reply, 400, "the query has a bad escape");
	else if (rc == -ENOMEM)
		reply_message(&request->reply, 500, "out of memory");
	else
		answer(request, name, false);
}
