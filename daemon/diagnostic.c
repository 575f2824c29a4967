/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diagnostic.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "exposition.h"
#include "metrics.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

/* When there are more, the oldest goes: whoever connects and says nothing, or little, keeps nobody out. */
#define CALLERS_MAX 16
#define LIMIT       (2 * CALLERS_MAX) /* those that were cut still count for a moment */

#define ACCEPT_PAUSE_MS 100 /* while there are no descriptors, or no memory */

struct diagnostic {
	const struct service *service;
	atomic_bool ready, started;
	int callers[CALLERS_MAX]; /* descriptors, oldest first; the library's thread alone */
	size_t caller_count;
	struct MHD_Daemon *http; /* NULL: not served */
	pthread_t thread;        /* drives it */
	int listen_fd, end_fd;   /* the second: an eventfd that ends the thread */
	int64_t port;            /* 0: not served */
	int prepared_fd;         /* between prepare and the transaction's end; else -1 */
	int64_t prepared_port;
};

struct diagnostic *diagnostic_new(const struct service *service)
{
	struct diagnostic *diagnostic = calloc(1, sizeof(*diagnostic));

	if (!diagnostic)
		return NULL;
	diagnostic->service = service;
	diagnostic->prepared_fd = diagnostic->listen_fd = diagnostic->end_fd = -1;
	return diagnostic;
}

static void give_back(struct diagnostic *diagnostic)
{
	if (diagnostic->http)
		MHD_stop_daemon(diagnostic->http);
	diagnostic->http = NULL;
	cleanup_closep(&diagnostic->listen_fd);
	cleanup_closep(&diagnostic->end_fd);
	diagnostic->listen_fd = diagnostic->end_fd = -1;
	diagnostic->caller_count = 0;
	diagnostic->port = 0;
}

static void stop_serving(struct diagnostic *diagnostic)
{
	static const uint64_t one = 1;

	if (diagnostic->http) {
		while (write(diagnostic->end_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
		pthread_join(diagnostic->thread, NULL);
	}
	give_back(diagnostic);
}

void diagnostic_free(struct diagnostic *diagnostic)
{
	if (!diagnostic)
		return;
	stop_serving(diagnostic);
	free(diagnostic);
}

void diagnostic_set_ready(struct diagnostic *diagnostic, bool ready)
{
	atomic_store(&diagnostic->ready, ready);
	if (ready)
		atomic_store(&diagnostic->started, true);
}

static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status,
                             struct MHD_Response *response, const char *content_type)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", content_type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *body)
{
	return queue(connection, status,
	             MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body,
	                                             MHD_RESPMEM_PERSISTENT),
	             TEXT_PLAIN);
}

static enum MHD_Result answer_health(struct diagnostic *diagnostic, struct MHD_Connection *connection)
{
	(void)diagnostic;
	return answer(connection, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result answer_ready(struct diagnostic *diagnostic, struct MHD_Connection *connection)
{
	if (!atomic_load(&diagnostic->ready))
		return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
	return answer(connection, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result answer_metrics(struct diagnostic *diagnostic, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	struct text text = {0};
	size_t length;
	char *body;

	/* The port is served before the service is whole. */
	if (!atomic_load(&diagnostic->started))
		return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
	metrics_append_page(diagnostic->service, &text);
	length = text.length;
	body = text_steal(&text);
	if (!body)
		return answer(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	response = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(body);
	return queue(connection, MHD_HTTP_OK, response, EXPOSITION_CONTENT_TYPE);
}

static const struct {
	const char *path;
	enum MHD_Result (*answer)(struct diagnostic *diagnostic, struct MHD_Connection *connection);
} pages[] = {
        {"/healthz", answer_health},
        {"/readyz", answer_ready},
        {"/metrics", answer_metrics},
};

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
	struct diagnostic *diagnostic = context;

	(void)version;
	(void)upload;
	if (!*request) {
		*request = diagnostic; /* the second call answers, so that the connection can be used again */
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (strcmp(url, pages[i].path) != 0)
			continue;
		if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
			return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
		return pages[i].answer(diagnostic, connection);
	}
	return answer(connection, MHD_HTTP_NOT_FOUND, "not found\n");
}

static void forget_caller(struct diagnostic *diagnostic, int fd)
{
	size_t kept = 0;

	for (size_t i = 0; i < diagnostic->caller_count; i++)
		if (diagnostic->callers[i] != fd)
			diagnostic->callers[kept++] = diagnostic->callers[i];
	diagnostic->caller_count = kept;
}

/* Both are said by the thread that accepts and serves; a descriptor is open from the first to the second. */
static void on_caller(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct diagnostic *diagnostic = context;

	(void)slot;
	if (what != MHD_CONNECTION_NOTIFY_STARTED) {
		forget_caller(diagnostic, info->connect_fd);
		return;
	}
	if (diagnostic->caller_count == CALLERS_MAX) {
		shutdown(diagnostic->callers[0], SHUT_RDWR);
		forget_caller(diagnostic, diagnostic->callers[0]);
	}
	diagnostic->callers[diagnostic->caller_count++] = info->connect_fd;
}

static int listen_at(int64_t port, int *ret_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Two sockets that both have SO_REUSEADDR may be bound to one port until one listens. */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* False: there are no descriptors, or no memory, to do it with. */
static bool accept_one(struct diagnostic *diagnostic)
{
	struct sockaddr_in address = {0};
	socklen_t size = sizeof(address);
	int fd = accept4(diagnostic->listen_fd, (struct sockaddr *)&address, &size,
	                 SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* On failure it has closed the descriptor. */
	if (fd >= 0)
		MHD_add_connection(diagnostic->http, fd, (const struct sockaddr *)&address, size);
	return fd >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS);
}

static int timeout_ms(struct MHD_Daemon *http, bool paused)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	if (MHD_get_timeout(http, &timeout) != MHD_YES || timeout > INT_MAX)
		return paused ? ACCEPT_PAUSE_MS : -1;
	return paused && timeout > ACCEPT_PAUSE_MS ? ACCEPT_PAUSE_MS : (int)timeout;
}

/* It accepts by itself, one after the other: the library would try without a rest where there are no descriptors. */
static void *serve(void *context)
{
	struct diagnostic *diagnostic = context;
	struct MHD_Daemon *http = diagnostic->http;
	int http_fd = MHD_get_daemon_info(http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	struct pollfd watched[] = {{.fd = diagnostic->end_fd, .events = POLLIN},
	                           {.fd = http_fd, .events = POLLIN},
	                           {.fd = diagnostic->listen_fd, .events = POLLIN}};
	bool paused = false;

	for (;;) {
		MHD_run(http);
		/* Who is not watched in a pause still waits after it. */
		poll(watched, paused ? 2 : 3, timeout_ms(http, paused));
		if (watched[0].revents)
			return NULL;
		if (watched[2].revents)
			paused = !accept_one(diagnostic);
	}
}

/* Takes `fd`, whatever comes of it. */
static int start_serving(struct diagnostic *diagnostic, int fd)
{
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET;

	diagnostic->listen_fd = fd;
	diagnostic->end_fd = eventfd(0, EFD_CLOEXEC);
	if (diagnostic->end_fd >= 0)
		diagnostic->http = MHD_start_daemon(flags, 0, NULL, NULL, handle, diagnostic,
		                                    MHD_OPTION_NOTIFY_CONNECTION, on_caller, diagnostic, /**/
		                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT,        /**/
		                                    MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
	if (!diagnostic->http || pthread_create(&diagnostic->thread, NULL, serve, diagnostic) != 0) {
		give_back(diagnostic);
		return -ENOMEM;
	}
	pthread_setname_np(diagnostic->thread, "rtregd-diag");
	return 0;
}

static int diagnostic_commit(void *context, struct rtreg_error *error)
{
	struct diagnostic *diagnostic = context;
	int fd = take_fd(&diagnostic->prepared_fd);

	stop_serving(diagnostic);
	if (fd < 0)
		return 0;
	if (start_serving(diagnostic, fd) < 0)
		return error_set(error, -ENOMEM, "network-diagnostic-port",
		                 "cannot serve the diagnostic port %lld",
		                 (long long)diagnostic->prepared_port);
	diagnostic->port = diagnostic->prepared_port;
	return 0;
}

static int diagnostic_rollback(void *context, struct rtreg_error *error)
{
	struct diagnostic *diagnostic = context;

	(void)error;
	if (diagnostic->prepared_fd >= 0)
		close(take_fd(&diagnostic->prepared_fd));
	return 0;
}

int diagnostic_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	struct diagnostic *diagnostic = context;
	int64_t port = rtreg_snapshot_network_diagnostic_port(rtreg_txn_new(txn));
	int rc;

	if (port == diagnostic->port)
		return 0;
	if (port != 0) {
		rc = listen_at(port, &diagnostic->prepared_fd);
		if (rc < 0)
			return error_set(error, rc, "network-diagnostic-port",
			                 "cannot listen at the diagnostic port 127.0.0.1:%lld: %s",
			                 (long long)port, strerror(-rc));
	}
	diagnostic->prepared_port = port;
	rtreg_txn_on_rollback(txn, diagnostic_rollback, diagnostic);
	rtreg_txn_on_commit(txn, diagnostic_commit, diagnostic);
	return 0;
}
