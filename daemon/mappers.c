/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mappers.h"

#include <errno.h>
#include <linux/sockios.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "connections.h"
#include "request.h"
#include "service.h"
#include "sharing.h"
#include "worker.h"

/* Whether a list of tokens, as of Connection and Upgrade, has this one. */
static bool has_token(const char *list, const char *token)
{
	size_t length = strlen(token);

	while (list && *list) {
		list += strspn(list, " \t,");
		if (strncasecmp(list, token, length) == 0 && strspn(list + length, " \t,") > 0)
			return true;
		if (strcasecmp(list, token) == 0)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

bool mapper_wanted(struct MHD_Connection *http)
{
	return has_token(MHD_lookup_connection_value(http, MHD_HEADER_KIND, "Connection"), "upgrade") &&
	       has_token(MHD_lookup_connection_value(http, MHD_HEADER_KIND, "Upgrade"), SHARED_PROTOCOL);
}

static int descriptor_of(const struct mapper *mapper)
{
	return connection_fd(mapper->request->peer);
}

static void add_mapper(struct mappers *mappers, struct mapper *mapper)
{
	mapper->next = mappers->first;
	mapper->link = &mappers->first;
	if (mapper->next)
		mapper->next->link = &mapper->next;
	mappers->first = mapper;
}

static void remove_mapper(struct mapper *mapper)
{
	if (!mapper->link)
		return;
	*mapper->link = mapper->next;
	if (mapper->next)
		mapper->next->link = mapper->link;
	mapper->link = NULL;
}

/*
 * Takes the connection over. It must not be closed in here: the library is not done with it yet. What is to be
 * closed is shut down, and tells so by its next event.
 */
static void take_over(void *context, struct MHD_Connection *http, void *slot, const char *extra,
                      size_t extra_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct request *request = context;
	struct mapper *mapper = &request->mapper;
	struct mappers *mappers = &request->worker->mappers;
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = mapper};

	(void)http;
	(void)slot;
	(void)extra;
	mapper->request = request;
	mapper->handle = handle;
	connection_upgraded(request->peer);
	add_mapper(mappers, mapper);
	if (extra_size > 0 || connections_stopping(request->service->connections))
		shutdown(fd, SHUT_RDWR);
	/* Without room for that it is never answered, and closed with the others at the end. */
	if (epoll_ctl(mappers->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		shutdown(fd, SHUT_RDWR);
}

struct MHD_Response *mapper_new(struct request *request)
{
	struct MHD_Response *response = MHD_create_response_for_upgrade(take_over, request);

	if (response)
		MHD_add_response_header(response, "Upgrade", SHARED_PROTOCOL);
	return response;
}

void mapper_fini(struct mapper *mapper, struct request *request)
{
	remove_mapper(mapper);
	if (mapper->joined)
		sharing_leave(request->service->sharing);
	mapper->joined = false;
}

static void cut(struct mapper *mapper)
{
	const struct worker *worker = mapper->request->worker;

	epoll_ctl(worker->mappers.epoll_fd, EPOLL_CTL_DEL, descriptor_of(mapper), NULL);
	remove_mapper(mapper);
	MHD_upgrade_action(mapper->handle, MHD_UPGRADE_ACTION_CLOSE);
}

/* So that what it has not read is one answer at most: descriptors on their way are few for all together. */
static bool has_taken_all(int fd)
{
	int left = 0;

	return ioctl(fd, SIOCOUTQ, &left) == 0 && left == 0;
}

/* False: it is to be closed. */
static bool answer(struct mapper *mapper)
{
	mapper->got = 0;
	return mapper->question.zero == 0 && has_taken_all(descriptor_of(mapper)) &&
	       sharing_answer(mapper->request->service->sharing, descriptor_of(mapper),
	                      mapper->question.what) == 0;
}

void mapper_serve(struct mapper *mapper)
{
	char *to = (char *)&mapper->question + mapper->got;
	ssize_t size = recv(descriptor_of(mapper), to, sizeof(mapper->question) - mapper->got, MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0)
		mapper->got += (size_t)size;
	if (size <= 0 || (mapper->got == sizeof(mapper->question) && !answer(mapper)))
		cut(mapper);
}

void mappers_cut(struct mappers *mappers)
{
	while (mappers->first)
		cut(mappers->first);
}
