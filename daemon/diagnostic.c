/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diagnostic.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/problems.h"

struct diagnostic {
	atomic_bool ready;
	struct MHD_Daemon *http; /* NULL: not served */
	int64_t port;            /* 0: not served */
	int prepared_fd;         /* between prepare and the transaction's end; else -1 */
	int64_t prepared_port;
};

struct diagnostic *diagnostic_new(void)
{
	struct diagnostic *diagnostic = calloc(1, sizeof(*diagnostic));

	if (diagnostic)
		diagnostic->prepared_fd = -1;
	return diagnostic;
}

static void stop_serving(struct diagnostic *diagnostic)
{
	if (diagnostic->http)
		MHD_stop_daemon(diagnostic->http);
	diagnostic->http = NULL;
	diagnostic->port = 0;
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
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body,
	                                                                MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
	struct diagnostic *diagnostic = context;
	bool is_health = strcmp(url, "/healthz") == 0, is_ready = strcmp(url, "/readyz") == 0;

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
	if (!is_health && !is_ready)
		return answer(connection, MHD_HTTP_NOT_FOUND, "not found\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
	if (is_ready && !atomic_load(&diagnostic->ready))
		return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
	return answer(connection, MHD_HTTP_OK, "ok\n");
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

static int diagnostic_commit(void *context, struct rtreg_error *error)
{
	struct diagnostic *diagnostic = context;
	int fd = take_fd(&diagnostic->prepared_fd);

	stop_serving(diagnostic);
	if (fd < 0)
		return 0;
	diagnostic->http = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, diagnostic,
	                                    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, 16u,
	                                    MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
	if (!diagnostic->http) {
		close(fd);
		return error_set(error, -ENOMEM, "network-diagnostic-port",
		                 "cannot serve the diagnostic port %lld",
		                 (long long)diagnostic->prepared_port);
	}
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
