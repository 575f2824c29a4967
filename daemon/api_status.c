/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/config, /v1/status, /v1/history, /metrics. */
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "exposition.h"
#include "gate.h"
#include "history.h"
#include "metrics.h"
#include "rejected.h"
#include "routes.h"
#include "service.h"
#include "timestamp.h"
#include "trial.h"
#include "watch.h"

#define PINNED_MAX 256

void api_show_config(struct request *request)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(request->service->registry);
	struct reply *reply = &request->reply;
	_cleanup_free_ char *json = NULL;

	reply->generation = rtreg_snapshot_generation(snapshot);
	json = rtreg_snapshot_json(snapshot);
	rtreg_unpin(snapshot);
	if (!json) {
		reply_message(reply, 500, "out of memory");
		return;
	}
	reply->status = 200;
	reply->keep_ns = KEEP_FOREVER;
	json_raw(&reply->body, json);
}

static void append_pinned(struct rtreg *registry, struct text *body)
{
	struct rtreg_pinned pinned[PINNED_MAX];
	size_t count = rtreg_pinned(registry, pinned, ARRAY_SIZE(pinned));

	json_key(body, "pinned");
	json_open(body, '[');
	for (size_t i = 0; i < count && i < ARRAY_SIZE(pinned); i++) {
		json_open(body, '{');
		json_member_uint(body, "generation", pinned[i].generation);
		json_member_uint(body, "count", pinned[i].count);
		json_close(body, '}');
	}
	json_close(body, ']');
}

/* Null where they cannot be counted. */
static void append_lock_ins(struct rtreg *registry, struct text *body)
{
	size_t count;

	json_key(body, "lock-ins");
	if (rtreg_lock_in_count(registry, &count) == 0)
		json_uint(body, count);
	else
		json_null(body);
}

void api_show_status(struct request *request)
{
	const struct service *service = request->service;
	struct reply *reply = &request->reply;
	struct text *body = &reply->body;
	char started[TIMESTAMP_TEXT_SIZE];
	const struct rtreg_snapshot *snapshot;
	size_t runtimes;

	gate_pass(service->gate);
	snapshot = rtreg_pin(service->registry);
	runtimes = rtreg_snapshot_runtime_count(snapshot);
	reply->status = 200;
	reply->generation = rtreg_snapshot_generation(snapshot);
	rtreg_unpin(snapshot);
	json_open(body, '{');
	json_member_uint(body, "generation", reply->generation);
	json_member_int(body, "pid", getpid());
	json_member_string(body, "version", rtreg_version());
	json_member_string(body, "started", timestamp_format(service->started_ns, 9, started));
	json_member_int(body, "uptime", (monotonic_now_ms() - service->started_ms) / 1000);
	json_key(body, "reload");
	history_append_newest(service->history, body);
	json_key(body, "rejected");
	rejected_append(service->rejected, body);
	json_key(body, "confirm");
	trial_append_status(service->trial, body);
	json_key(body, "watch");
	watch_append_status(service->watch, body);
	append_pinned(service->registry, body);
	append_lock_ins(service->registry, body);
	json_member_uint(body, "threads", service->options->threads);
	json_member_uint(body, "runtimes", runtimes);
	json_close(body, '}');
}

void api_show_history(struct request *request)
{
	struct reply *reply = &request->reply;

	gate_pass(request->service->gate);
	reply->status = 200;
	json_open(&reply->body, '{');
	json_key(&reply->body, "entries");
	history_append(request->service->history, &reply->body);
	json_close(&reply->body, '}');
}

void api_show_metrics(struct request *request)
{
	gate_pass(request->service->gate);
	request->reply.status = 200;
	request->reply.content_type = EXPOSITION_CONTENT_TYPE;
	metrics_append_page(request->service, &request->reply.body);
}
