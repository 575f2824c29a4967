/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "connections.h"
#include "log.h"
#include "mappers.h"
#include "metrics.h"
#include "request.h"
#include "routes.h"
#include "service.h"
#include "stream.h"
#include "worker.h"

static void add_headers(const struct request *request, struct MHD_Response *response, bool ends)
{
	const struct reply *reply = &request->reply;
	char number[24];

	MHD_add_response_header(response, "Content-Type",
	                        reply->content_type ? reply->content_type : "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-cache");
	if (reply->docker) {
		MHD_add_response_header(response, "Api-Version", DOCKER_API_VERSION);
		MHD_add_response_header(response, "Docker-Experimental", "false");
		MHD_add_response_header(response, "Ostype", "linux");
		MHD_add_response_header(response, "Server", "rtreg/" RTREG_VERSION " (linux)");
	}
	if (reply->allow[0])
		MHD_add_response_header(response, "Allow", reply->allow);
	if (reply->upgrade) {
		MHD_add_response_header(response, "Connection", "Upgrade");
		MHD_add_response_header(response, "Upgrade", reply->upgrade);
	}
	if (reply->generation > 0) {
		snprintf(number, sizeof(number), "%" PRIu64, reply->generation);
		MHD_add_response_header(response, "Rtreg-Generation", number);
		snprintf(number, sizeof(number), "\"%" PRIu64 "\"", reply->generation);
		MHD_add_response_header(response, "ETag", number);
	}
	if (ends)
		MHD_add_response_header(response, "Connection", "close");
}

static void log_answer(const struct request *request)
{
	const struct ucred *peer = connection_credentials(request->peer);
	char status[16], pid[16], uid[16];

	snprintf(status, sizeof(status), "%u", request->reply.status);
	snprintf(pid, sizeof(pid), "%d", (int)peer->pid);
	snprintf(uid, sizeof(uid), "%u", (unsigned)peer->uid);
	log_debug("request", "path", request->uri.path, "status", status, "pid", pid, "uid", uid);
}

void answer_count(const struct request *request, unsigned status)
{
	metrics_request(request->service->metrics, request->worker->column, request->route_number, status,
	                statistics_now_ns() - request->began_ns);
}

static struct MHD_Response *response_of(struct request *request)
{
	struct reply *reply = &request->reply;
	struct MHD_Response *response;
	size_t length;
	char *body;

	if (reply->follower)
		return stream_new(request);
	if (reply->status == MHD_HTTP_SWITCHING_PROTOCOLS)
		return mapper_new(request);
	if (reply->body.failed)
		reply_message(reply, 500, "out of memory");
	length = reply->body.length;
	body = text_steal(&reply->body);
	response = MHD_create_response_from_buffer(body ? length : 0, body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(body);
	return response;
}

static enum MHD_Result queue_reply(struct request *request, struct MHD_Response *response)
{
	answer_count(request, request->reply.status);
	if (log_enabled(RTREG_LOG_DEBUG))
		log_answer(request);
	return MHD_queue_response(request->http, request->reply.status, response);
}

/* For those that ask the same next, if it stays the answer. */
static void keep(struct request *request, struct MHD_Response *response, size_t body_size)
{
	const struct reply *reply = &request->reply;
	const struct kept_answer answer = {
	        .route = request->route,
	        .route_number = request->route_number,
	        .response = response,
	        .body_size = body_size,
	        .generation = reply->generation,
	        .until_ns =
	                reply->keep_ns == KEEP_FOREVER ? KEEP_FOREVER : request->began_ns + reply->keep_ns,
	};

	if (kept_add(&request->worker->kept, &request->key, &answer))
		metrics_count(request->service->metrics, METRICS_REPLIES_KEPT, 1);
}

enum MHD_Result answer_send(struct request *request, bool close_after)
{
	size_t body_size = request->kept ? request->kept->answer.body_size : request->reply.body.length;
	bool ends = close_after || connections_stopping(request->service->connections);
	struct MHD_Response *response;
	enum MHD_Result result;

	connection_sends(request->peer, body_size);
	if (request->kept)
		return queue_reply(request, request->kept->answer.response);
	response = response_of(request);
	if (!response)
		return MHD_NO;
	if (request->reply.status != MHD_HTTP_SWITCHING_PROTOCOLS)
		add_headers(request, response, ends);
	result = queue_reply(request, response);
	if (request->reply.status == 200 && request->reply.keep_ns > 0 && !ends)
		keep(request, response, body_size);
	else
		MHD_destroy_response(response);
	return result;
}
