/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/exchange.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define SLICE_MS        100 /* between two calls of `waiting` */
#define LINE_LENGTH_MAX ((size_t)64 * 1024)

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void exchange_fini(struct exchange *x)
{
	cleanup_closep(&x->fd);
	text_fini(&x->out);
	text_fini(&x->in);
}

/* Milliseconds until the next call of `waiting`, at most up to the deadline (-1: for ever), or -ETIMEDOUT. */
static int next_slice(const struct exchange *x, int *ret_ms)
{
	int64_t elapsed = now_ms() - x->begin_ms, left = x->wait->timeout_ms - elapsed;

	if (x->endless) {
		*ret_ms = -1;
		return 0;
	}
	if (left <= 0)
		return -ETIMEDOUT;
	if (x->wait->waiting)
		x->wait->waiting(x->wait->context, elapsed);
	*ret_ms = left < SLICE_MS ? (int)left : SLICE_MS;
	return 0;
}

/* A unix socket's connect() cannot be polled for: where the daemon's queue is full it waits in slices. */
static int try_connect(struct exchange *x, const struct sockaddr_un *address)
{
	for (;;) {
		struct timeval limit = {0};
		int slice, result = next_slice(x, &slice);

		if (result < 0)
			return result;
		limit.tv_usec = slice * 1000;
		if (setsockopt(x->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
			return -errno;
		if (connect(x->fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

void exchange_begin(struct exchange *x)
{
	x->begin_ms = now_ms() - x->wait->spent_ms;
}

void exchange_abandon(struct exchange *x)
{
	cleanup_closep(&x->fd);
	x->fd = -1;
	x->sent = x->taken = x->in.length = 0;
}

int exchange_open(struct exchange *x)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(x->socket);
	int result;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, x->socket, length);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return -errno;
	result = try_connect(x, &address);
	if (result < 0)
		exchange_abandon(x);
	return result;
}

/*
 * Sends what the socket takes. A daemon that refuses a request may stop reading it: its reply still counts.
 */
static void send_some(struct exchange *x)
{
	ssize_t size =
	        send(x->fd, x->out.data + x->sent, x->out.length - x->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (size >= 0)
		x->sent += (size_t)size;
	else if (errno != EAGAIN && errno != EINTR)
		x->sent = x->out.length;
}

/* Moves what is not used up to the beginning: a reply without end must not need memory without end. */
static void drop_taken(struct exchange *x)
{
	if (x->taken == 0)
		return;
	x->in.length -= x->taken;
	memmove(x->in.data, x->in.data + x->taken, x->in.length);
	x->taken = 0;
}

/* Waits until there is something to receive, sending the request meanwhile. */
static int wait_for_more(struct exchange *x)
{
	for (;;) {
		struct pollfd fds[] = {
		        {.fd = x->fd, .events = POLLIN | (x->sent < x->out.length ? POLLOUT : 0)},
		        {.fd = x->reader},
		};
		int slice, result = next_slice(x, &slice);

		if (result < 0)
			return result;
		if (poll(fds, 2, slice) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[1].revents)
			return -ESTALE;
		if (fds[0].revents & POLLOUT)
			send_some(x);
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
			return 0;
	}
}

/* Waits for more of the reply: 1, 0 at its end, or a negative errno. */
static int receive(struct exchange *x)
{
	char buffer[64 * 1024];

	for (;;) {
		int result = wait_for_more(x);
		ssize_t size;

		if (result < 0)
			return result;
		size = recv(x->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (size < 0)
			return -errno;
		drop_taken(x);
		text_append_n(&x->in, buffer, (size_t)size);
		return x->in.failed ? -ENOMEM : size > 0;
	}
}

int exchange_line(struct exchange *x, char **ret_line)
{
	size_t searched = 0;

	for (;;) {
		char *line = x->in.data ? x->in.data + x->taken : NULL, *end = NULL;
		size_t length = x->in.length - x->taken;
		int result;

		if (line)
			end = memchr(line + searched, '\n', length - searched);
		if (end) {
			x->taken += (size_t)(end - line) + 1;
			*end = '\0';
			if (end > line && end[-1] == '\r')
				end[-1] = '\0';
			*ret_line = line;
			return 0;
		}
		if (length > LINE_LENGTH_MAX)
			return -EPROTO;
		searched = length;
		result = receive(x);
		if (result <= 0)
			return result == 0 ? -ECONNRESET : result;
	}
}

ssize_t exchange_some(struct exchange *x, size_t max, const char **ret_bytes)
{
	size_t ready = x->in.length - x->taken;

	if (ready == 0) {
		int result = receive(x);

		if (result <= 0)
			return result;
		ready = x->in.length - x->taken;
	}
	if (ready > max)
		ready = max;
	*ret_bytes = x->in.data + x->taken;
	x->taken += ready;
	return (ssize_t)ready;
}
