/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/events, and /events for the docker CLI. */
#include <errno.h>

#include "base/problems.h"
#include "followers.h"
#include "gate.h"
#include "routes.h"
#include "service.h"
#include "timestamp.h"

static void answer_no_memory(struct request *request)
{
	reply_message(&request->reply, 500, "out of memory");
}

/* False: the argument was bad, and `request` is answered. Without the argument *time_ns stays. */
static bool read_time(struct request *request, const char *name, int64_t *time_ns)
{
	_cleanup_free_ char *value = NULL;
	int rc = uri_argument(&request->uri, name, &value);

	/* The docker CLI sends since= and until= empty where they were not given. */
	if (rc == -ENOENT || (rc == 0 && !*value))
		return true;
	if (rc == 0)
		rc = timestamp_parse(value, time_ns);
	if (rc == -ENOMEM)
		answer_no_memory(request);
	else if (rc < 0)
		reply_message(&request->reply, 400,
		              "invalid %s: want seconds since 1970 or RFC 3339, not '%s'", name,
		              value ? value : "");
	return rc == 0;
}

/* As read_time(). */
static bool read_filter(struct request *request, struct event_filter **filter)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_free_ char *value = NULL;
	int rc = uri_argument(&request->uri, "filters", &value);

	if (rc == -ENOENT)
		return true;
	if (rc == 0)
		rc = event_filter_new(value, filter, &error);
	if (rc == -ENOMEM)
		answer_no_memory(request);
	else if (rc < 0)
		reply_message(&request->reply, 400, "%s",
		              error.message[0] ? error.message : "invalid filter ''");
	return rc == 0;
}

void api_list_events(struct request *request)
{
	struct event_query query = {.since_ns = INT64_MIN, .until_ns = INT64_MAX};
	const struct service *service = request->service;

	if (!read_time(request, "since", &query.since_ns) || !read_time(request, "until", &query.until_ns) ||
	    !read_filter(request, &query.filter))
		return;
	gate_pass(service->gate);
	if (follower_new(service->events, &query, &request->reply.follower) < 0)
		answer_no_memory(request);
	else
		request->reply.status = 200;
}
