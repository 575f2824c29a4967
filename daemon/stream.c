/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/epoll.h>

#include "connections.h"
#include "events.h"
#include "followers.h"
#include "request.h"
#include "service.h"
#include "timestamp.h"
#include "worker.h"

#define BLOCK_SIZE       4096  /* only where the client knows no chunks */
#define SWEEP_MS         10000 /* after which a client that has gone is noticed though nothing told of it */
#define END_PATIENCE_MS  60000 /* for taking the marker, or what came before `until` */
#define STOP_PATIENCE_MS 300   /* for taking anything */

struct stream {
	struct stream *next, **link;
	struct streams *streams;
	struct MHD_Connection *http;
	struct connection *peer;
	struct events *events;
	struct follower *follower;
	bool suspended;
	bool stays;          /* was open when it began */
	int64_t patience_ms; /* for which its client may take nothing; 0: for ever */
	bool cut;
};

/* Only when the other side is closed as a whole: one that has said all that it will say may still listen. */
static bool is_gone(const struct stream *stream)
{
	struct pollfd poller = {.fd = connection_fd(stream->peer)};

	return stream->cut || (poll(&poller, 1, 0) > 0 && (poller.revents & (POLLHUP | POLLERR)));
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size)
{
	struct stream *stream = context;
	ssize_t done = follower_read(stream->follower, buffer, size);

	(void)position;
	if (done < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (done > 0 && stream->patience_ms > 0)
		connection_give(stream->peer, stream->patience_ms);
	if (done > 0)
		return done;
	if (is_gone(stream))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	stream->suspended = true;
	MHD_suspend_connection(stream->http);
	return 0;
}

static void free_stream(void *context)
{
	struct stream *stream = context;

	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	follower_free(stream->follower);
	free(stream);
}

static void add_stream(struct streams *streams, struct stream *stream)
{
	if (!streams->first)
		streams->due_ms = monotonic_now_ms() + SWEEP_MS;
	stream->streams = streams;
	stream->next = streams->first;
	stream->link = &streams->first;
	if (stream->next)
		stream->next->link = &stream->next;
	streams->first = stream;
}

/* Makes sure that it is looked at when its time is up; once that has been seen, there is nothing to wait for. */
static void make_due(struct streams *streams, const struct stream *stream)
{
	int64_t left_ns;

	if (!follower_stays(stream->follower) || follower_until_ns(stream->follower) == INT64_MAX)
		return;
	left_ns = follower_until_ns(stream->follower) - timestamp_now_ns();
	if (left_ns / NS_PER_MS < streams->due_ms - monotonic_now_ms())
		streams->due_ms = monotonic_now_ms() + (left_ns > 0 ? left_ns / NS_PER_MS + 1 : 0);
}

/* Without room for that it is found out by the next sweep. */
static void watch_for_its_end(const struct streams *streams, const struct connection *peer)
{
	/* Hanging up and errors are always told; once, as all streams are looked at then. */
	struct epoll_event event = {.events = EPOLLET};

	epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, connection_fd(peer), &event);
}

/* It has no time limits, and ends its connection. */
static void let_stay(const struct request *request, struct MHD_Response *response)
{
	watch_for_its_end(&request->worker->streams, request->peer);
	connection_follows(request->peer);
	MHD_add_response_header(response, "Connection", "close");
}

static void hurry(struct stream *stream, int64_t patience_ms)
{
	if (stream->patience_ms == patience_ms)
		return;
	stream->patience_ms = patience_ms;
	connection_give(stream->peer, patience_ms);
}

struct MHD_Response *stream_new(struct request *request)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	struct MHD_Response *response;

	if (!stream)
		return NULL;
	stream->http = request->http;
	stream->peer = request->peer;
	stream->events = request->service->events;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, stream,
	                                             free_stream);
	if (!response) {
		free(stream);
		return NULL;
	}
	stream->follower = take(request->reply.follower);
	add_stream(&request->worker->streams, stream);
	make_due(&request->worker->streams, stream);
	stream->stays = follower_stays(stream->follower);
	if (stream->stays)
		let_stay(request, response);
	else
		hurry(stream, END_PATIENCE_MS);
	return response;
}

static void resume(struct stream *stream)
{
	if (stream->suspended)
		MHD_resume_connection(stream->http);
	stream->suspended = false;
}

static void look_at(struct stream *stream)
{
	struct follower *follower = stream->follower;

	follower_look(follower);
	if (events_ended(stream->events))
		hurry(stream, STOP_PATIENCE_MS);
	else if (stream->stays && (follower_is_lost(follower) || !follower_stays(follower)))
		hurry(stream, END_PATIENCE_MS);
	if (stream->suspended && (follower_has_more(follower) || is_gone(stream)))
		resume(stream);
	make_due(stream->streams, stream);
}

void streams_serve(struct streams *streams, bool now)
{
	if (!streams->first || (!now && monotonic_now_ms() < streams->due_ms))
		return;
	streams->due_ms = monotonic_now_ms() + SWEEP_MS;
	for (struct stream *stream = streams->first; stream; stream = stream->next)
		look_at(stream);
}

int streams_timeout_ms(const struct streams *streams)
{
	int64_t left_ms;

	if (!streams->first)
		return -1;
	left_ms = streams->due_ms - monotonic_now_ms();
	if (left_ms < 0)
		return 0;
	return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

void streams_cut(struct streams *streams)
{
	for (struct stream *stream = streams->first; stream; stream = stream->next) {
		stream->cut = true;
		resume(stream);
	}
}
