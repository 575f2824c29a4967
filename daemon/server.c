/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of the HTTP library's calls for one request: the URI callback makes the request, the handler's first call
 * (the head is complete) routes and refuses, further calls bring the body, the last one has it handled. A
 * reply queued at the first call makes the library close the connection: that is for those whose body shall
 * not be read.
 */
#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "connections.h"
#include "crew.h"
#include "events.h"
#include "head.h"
#include "log.h"
#include "mappers.h"
#include "metrics.h"
#include "request.h"
#include "routes.h"
#include "timestamp.h"
#include "trust.h"
#include "worker.h"

#define RUN_WAIT_MS   10000
#define FLUSH_TICK_NS 5000000

/*
 * What the library keeps for each connection, and clears after each request: a head of the largest size, its
 * 100 fields of 64 bytes each, and the head of the reply.
 */
#define CONNECTION_MEMORY ((size_t)16 << 10)

struct server {
	atomic_size_t unanswered; /* requests that were suspended */
	unsigned count, next;
	struct worker workers[];
};

/* --- the head */

static enum MHD_Result look_at_field(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
	(void)kind;
	head_add_field(context, name, value);
	return MHD_YES;
}

static void read_head(struct MHD_Connection *http, struct head *head)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(http, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	head->size_bytes = info ? info->header_size : 0;
	MHD_get_connection_values(http, MHD_HEADER_KIND, look_at_field, head);
}

static size_t body_max(const struct request *request)
{
	return request->route->body_max > 0 ? request->route->body_max : BODY_MAX;
}

static void check_body_length(struct request *request, const struct head *head)
{
	if (head_body_length(head) > body_max(request))
		reply_message(&request->reply, 413, "the body is larger than %zu bytes", body_max(request));
}

static void check_trust(struct request *request)
{
	if (!trust_peer(connection_fd(request->peer), connection_credentials(request->peer),
	                request->service->options->group))
		reply_message(&request->reply, 403,
		              "permission denied: only root, the daemon's user and members of its "
		              "group may change anything");
}

static void keep_if_match(struct request *request)
{
	const char *value = MHD_lookup_connection_value(request->http, MHD_HEADER_KIND, "If-Match");

	if (!value)
		return;
	request->if_match = strdup(value);
	if (!request->if_match)
		reply_message(&request->reply, 500, "out of memory");
}

/* Whether it asks for what was kept; then it is answered. */
static bool find_kept(struct request *request, const char *method)
{
	bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

	if (!reads || connections_stopping(request->service->connections))
		return false;
	request->kept = kept_find(&request->worker->kept, &request->key, request->began_ns);
	if (!request->kept)
		return false;
	request->route = request->kept->answer.route;
	request->route_number = request->kept->answer.route_number;
	request->reply.status = 200;
	request->stage = REQUEST_ANSWERED;
	return true;
}

static void check_upgrade(struct request *request, const char *version)
{
	/* HTTP/1.0 has no 101. */
	if (strcmp(version, MHD_HTTP_VERSION_1_1) == 0 && mapper_wanted(request->http))
		return;
	reply_message(&request->reply, 426, "ask for it with Connection: Upgrade and Upgrade: %s",
	              SHARED_PROTOCOL);
	request->reply.upgrade = SHARED_PROTOCOL;
}

static enum MHD_Result take_head(struct request *request, const char *method, const char *version)
{
	struct head head = {0};
	bool has_body;

	read_head(request->http, &head);
	has_body = head_has_body(&head);
	connection_head_complete(request->peer, has_body);
	head_check(&head, &request->reply);
	if (request->reply.status == 0 && !has_body && find_kept(request, method))
		return MHD_YES;
	if (request->reply.status == 0)
		route_request(request, method);
	if (request->reply.status == 0 && (request->route->traits & ROUTE_CHANGES))
		check_trust(request);
	if (request->reply.status == 0)
		check_body_length(request, &head);
	if (request->reply.status == 0 && (request->route->traits & ROUTE_CHANGES))
		keep_if_match(request);
	if (request->reply.status == 0 && (request->route->traits & ROUTE_UPGRADES))
		check_upgrade(request, version);
	request->stage = request->reply.status == 0 ? REQUEST_BODY : REQUEST_ANSWERED;
	if (request->reply.status == 0 || !has_body)
		return MHD_YES;
	connection_set_linger(request->peer);
	return answer_send(request, true);
}

/* --- the body */

/* The library takes no reply in the midst of a body, so this one goes round it. */
static enum MHD_Result refuse_body(struct request *request)
{
	answer_count(request, 413);
	reply_write_raw(connection_fd(request->peer), 413, "the body is too large");
	connection_set_linger(request->peer);
	return MHD_NO;
}

static enum MHD_Result take_body(struct request *request, const char *bytes, size_t *size)
{
	if (*size > body_max(request) - request->body_size)
		return refuse_body(request);
	request->body_size += *size;
	/* No other route looks at it: those who may only read shall not fill the memory. */
	if (request->route->traits & ROUTE_CHANGES)
		text_append_n(&request->body, bytes, *size);
	*size = 0;
	return MHD_YES;
}

/* Context: a crew's thread. */
static void run_blocking(void *context, bool cancelled)
{
	struct request *request = context;

	if (cancelled)
		reply_message(&request->reply, 503, "the daemon is shutting down");
	else
		request->route->handle(request);
	request_resume(request);
}

static void hand_to_crew(struct request *request)
{
	const struct service *service = request->service;
	bool changes = (request->route->traits & ROUTE_CHANGES) != 0;

	request->task = (struct task){.run = run_blocking, .context = request};
	request_suspend(request);
	crew_do(changes ? service->changers : service->readers, &request->task);
}

static void run_handler(struct request *request)
{
	request->stage = REQUEST_ANSWERED;
	connection_body_complete(request->peer);
	if (request->body.failed)
		reply_message(&request->reply, 500, "out of memory");
	else if (request->route->traits & ROUTE_BLOCKS)
		hand_to_crew(request);
	else
		request->route->handle(request);
}

/*
 * A connection that is suspended while the library still waits to read from it is read from first when it is
 * resumed, and closed without its reply if the client has ended its sending side. Left without an answer for one
 * turn, the library waits for the handler instead, and reads no more before the reply.
 */
static bool wants_a_turn(struct request *request)
{
	bool wants = (request->route->traits & (ROUTE_WAITS | ROUTE_BLOCKS)) && !request->had_turn;

	request->had_turn = true;
	return wants;
}

/* --- the library's callbacks */

static enum MHD_Result on_request(void *context, struct MHD_Connection *http, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **slot)
{
	struct request *request = *slot;

	(void)context;
	(void)http;
	(void)url;
	if (!request)
		return MHD_NO;
	if (request->stage == REQUEST_NEW)
		return take_head(request, method, version);
	if (*upload_size > 0 && request->stage == REQUEST_BODY)
		return take_body(request, upload, upload_size);
	request->suspended = false;
	if (request->stage == REQUEST_BODY && wants_a_turn(request))
		return MHD_YES;
	if (request->stage == REQUEST_BODY)
		run_handler(request);
	return request->suspended ? MHD_YES : answer_send(request, false);
}

/* Most requests are short, and each thread has one at a time: the memory of the last is the next one's. */
static struct request *request_new(struct worker *worker)
{
	struct request *request = worker->spare ? take(worker->spare) : malloc(sizeof(*request));

	if (!request)
		return NULL;
	memset(request, 0, sizeof(*request));
	request->worker = worker;
	request->service = worker->service;
	request->began_ns = statistics_now_ns();
	return request;
}

static void request_free(struct request *request)
{
	if (!request)
		return;
	kept_release(request->kept);
	mapper_fini(&request->mapper, request);
	uri_fini(&request->uri);
	free(request->segment);
	free(request->if_match);
	text_fini(&request->body);
	reply_fini(&request->reply);
	free(request->worker->spare);
	request->worker->spare = request;
}

static struct connection *peer_of(struct MHD_Connection *http)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void *on_uri(void *context, const char *target, struct MHD_Connection *http)
{
	struct worker *worker = context;
	struct request *request = request_new(worker);
	struct connection *peer = peer_of(http);

	if (peer)
		connection_head_begins(peer);
	if (!request || !peer || uri_init(&request->uri, target) < 0) {
		request_free(request);
		return NULL;
	}
	request->key = (struct kept_key){.bytes = request->uri.path, .size = request->uri.size};
	request->key.hash = kept_hash(request->key.bytes, request->key.size);
	request->peer = peer;
	request->http = http;
	return request;
}

static void on_completed(void *context, struct MHD_Connection *http, void **slot,
                         enum MHD_RequestTerminationCode why)
{
	struct request *request = *slot;

	(void)context;
	(void)http;
	(void)why;
	*slot = NULL;
	if (request && request->stage == REQUEST_NEW)
		metrics_count(request->service->metrics, METRICS_REQUESTS_UNREAD, 1);
	if (request)
		connection_request_done(request->peer);
	if (request && request->counted)
		atomic_fetch_sub(&request->service->server->unanswered, 1);
	request_free(request);
}

static void on_connection(void *context, struct MHD_Connection *http, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
	struct service *service = context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
		        MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);

		*slot = connections_started(service->connections, info->connect_fd);
	} else if (*slot) {
		connections_closed(service->connections, *slot);
		*slot = NULL;
	}
}

/* Percent escapes are decoded where they are used, by uri.c. */
static size_t leave_escaped(void *context, struct MHD_Connection *http, char *text)
{
	(void)context;
	(void)http;
	return strlen(text);
}

/* What the library says of every connection, because it takes ours for one of TCP. */
static bool is_about_tcp(const char *message)
{
	return strstr(message, "Setting TCP_") == message ||
	       strstr(message, "Failed to push the data") == message;
}

__attribute__((format(printf, 2, 0))) static void log_http(void *context, const char *format, va_list args)
{
	char message[256];

	(void)context;
	vsnprintf(message, sizeof(message), format, args);
	if (is_about_tcp(message))
		return;
	message[strcspn(message, "\n")] = '\0';
	log_debug("http", "detail", message);
}

static struct MHD_Daemon *http_new(struct service *service, struct worker *worker)
{
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
	                 MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG;

	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, service,              /**/
	                        MHD_OPTION_EXTERNAL_LOGGER, log_http, NULL,             /**/
	                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, service,   /**/
	                        MHD_OPTION_URI_LOG_CALLBACK, on_uri, worker,            /**/
	                        MHD_OPTION_NOTIFY_COMPLETED, on_completed, service,     /**/
	                        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,      /**/
	                        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, /**/
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,  /**/
	                        MHD_OPTION_END);
}

static int add_worker(struct server *server, struct service *service)
{
	struct worker *worker = &server->workers[server->count];
	struct MHD_Daemon *http = http_new(service, worker);
	int rc;

	if (!http)
		return -EAGAIN;
	rc = worker_start(worker, service, http);
	worker->column = server->count + 1;
	if (rc < 0)
		MHD_stop_daemon(http);
	else
		server->count++;
	return rc;
}

static void tell_workers(void *context)
{
	struct server *server = context;

	for (unsigned i = 0; i < server->count; i++)
		worker_tell(&server->workers[i]);
}

int server_new(struct service *service, unsigned threads, struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server) + threads * sizeof(server->workers[0]));
	int rc;

	if (!server)
		return -ENOMEM;
	while (server->count < threads) {
		rc = add_worker(server, service);
		if (rc < 0) {
			server_free(server);
			return rc;
		}
	}
	events_watch(service->events, tell_workers, server);
	connections_on_late(service->connections, tell_workers, server);
	*ret = server;
	return 0;
}

void server_flush(struct server *server, struct connections *connections, const struct flush_times *times)
{
	int64_t began_ms = monotonic_now_ms(), now_ms = began_ms;

	while (atomic_load(&server->unanswered) > 0 && now_ms < began_ms + times->all_ms &&
	       (now_ms < began_ms + times->no_room_ms || connections_owe(connections))) {
		nanosleep(&(struct timespec){.tv_nsec = FLUSH_TICK_NS}, NULL);
		now_ms = monotonic_now_ms();
	}
}

void server_free(struct server *server)
{
	if (!server)
		return;
	for (unsigned i = 0; i < server->count; i++)
		worker_stop(&server->workers[i]);
	free(server);
}

void server_take(struct server *server, int fd)
{
	worker_take(&server->workers[server->next], fd);
	server->next = (server->next + 1) % server->count;
}

void request_suspend(struct request *request)
{
	request->suspended = true;
	if (!request->counted)
		atomic_fetch_add(&request->service->server->unanswered, 1);
	request->counted = true;
	connection_owes(request->peer);
	MHD_suspend_connection(request->http);
}

void request_resume(struct request *request)
{
	worker_resume(request->worker, request->http);
}
