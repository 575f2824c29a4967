/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least that libmicrohttpd takes for a request: one thread of its own, one reply for all. */
#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "bench/server.h"

static struct MHD_Response *response;

/* An answer at the first call, for the head, would close the connection. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **slot)
{
	static int seen;

	(void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
	if (!*slot) {
		*slot = &seen;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

void server_constant(int fd, const void *context)
{
	char *body = strdup(context);

	if (!body)
		return;
	response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return;
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-cache");
	MHD_add_response_header(response, "Rtreg-Generation", "1");
	MHD_add_response_header(response, "ETag", "\"1\"");
	if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, /**/
	                      MHD_OPTION_LISTEN_SOCKET, fd,                               /**/
	                      MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END))
		return;
	for (;;)
		pause();
}
