/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "base/problems.h"
#include "base/text.h"

#define SLICE_MS         100 /* between two calls of `waiting` */
#define LINE_LENGTH_MAX  (64 * 1024)
#define LINE_COUNT_MAX   1000
#define REPLY_LENGTH_MAX ((size_t)1 << 30)

/* One request and its reply under way. */
struct exchange {
	const char *socket;
	const struct http_wait *wait;
	int64_t begin_ms;
	int fd;
	struct text out;
	size_t sent;
	struct text in; /* received; what stands before `taken` is used up */
	size_t taken;
};

/* What a reply's head says about its body. */
struct head {
	int status;
	bool chunked, has_length;
	size_t length;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void exchange_fini(struct exchange *x)
{
	cleanup_closep(&x->fd);
	text_fini(&x->out);
	text_fini(&x->in);
}
#define _cleanup_exchange_ _cleanup_(exchange_fini)

void http_reply_fini(struct http_reply *reply)
{
	free(reply->body);
	*reply = (struct http_reply){0};
}

/* Milliseconds until the next call of `waiting`, at most up to the deadline, or -ETIMEDOUT. */
static int next_slice(const struct exchange *x)
{
	int64_t elapsed = now_ms() - x->begin_ms, left = x->wait->timeout_ms - elapsed;

	if (left <= 0)
		return -ETIMEDOUT;
	if (x->wait->waiting)
		x->wait->waiting(x->wait->context, elapsed);
	return left < SLICE_MS ? (int)left : SLICE_MS;
}

/* A unix socket's connect() cannot be polled for: where the daemon's queue is full it waits in slices. */
static int try_connect(struct exchange *x, const struct sockaddr_un *address)
{
	for (;;) {
		int slice = next_slice(x);
		struct timeval limit = {.tv_usec = slice * 1000};

		if (slice < 0)
			return slice;
		if (setsockopt(x->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
			return -errno;
		if (connect(x->fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

static int open_connection(struct exchange *x)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(x->socket);

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, x->socket, length);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return -errno;
	return try_connect(x, &address);
}

static void write_request(struct text *out, const struct http_request *request)
{
	text_printf(
	        out,
	        "%s %s HTTP/1.1\r\nHost: rtreg\r\nUser-Agent: rtregctl/%s\r\nAccept: application/json\r\n",
	        request->method, request->target, RTREG_VERSION);
	text_append(out, "Connection: close\r\n");
	if (request->if_match)
		text_printf(out, "If-Match: %s\r\n", request->if_match);
	if (request->body)
		text_append(out, "Content-Type: application/json\r\n");
	if (request->body || strcmp(request->method, "GET") != 0)
		text_printf(out, "Content-Length: %zu\r\n", request->body_size);
	text_append(out, "\r\n");
	if (request->body)
		text_append_n(out, request->body, request->body_size);
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

/* Waits for more of the reply, sending the request meanwhile: 1, 0 at its end, or a negative errno. */
static int receive(struct exchange *x)
{
	char buffer[64 * 1024];

	for (;;) {
		struct pollfd fd = {.fd = x->fd, .events = POLLIN | (x->sent < x->out.length ? POLLOUT : 0)};
		int slice = next_slice(x);
		ssize_t size;

		if (slice < 0)
			return slice;
		if (poll(&fd, 1, slice) < 0 && errno != EINTR)
			return -errno;
		if (fd.revents & POLLOUT)
			send_some(x);
		if (!(fd.revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		size = recv(x->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (size < 0)
			return -errno;
		if (x->taken == x->in.length)
			x->taken = x->in.length = 0;
		text_append_n(&x->in, buffer, (size_t)size);
		return x->in.failed ? -ENOMEM : size > 0;
	}
}

/* As receive(), where the reply may not end yet. */
static int receive_more(struct exchange *x)
{
	int result = receive(x);

	return result == 0 ? -ECONNRESET : result < 0 ? result : 0;
}

/* The next line without its end, valid until the next call. */
static int take_line(struct exchange *x, char **ret_line)
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
		result = receive_more(x);
		if (result < 0)
			return result;
	}
}

static int take_bytes(struct exchange *x, size_t count, struct text *body)
{
	if (count > REPLY_LENGTH_MAX - body->length)
		return -EFBIG;
	while (count > 0) {
		size_t ready = x->in.length - x->taken;
		int result;

		if (ready == 0) {
			result = receive_more(x);
			if (result < 0)
				return result;
			continue;
		}
		if (ready > count)
			ready = count;
		text_append_n(body, x->in.data + x->taken, ready);
		x->taken += ready;
		count -= ready;
	}
	return body->failed ? -ENOMEM : 0;
}

static int take_to_end(struct exchange *x, struct text *body)
{
	int result;

	do {
		result = take_bytes(x, x->in.length - x->taken, body);
		if (result == 0)
			result = receive(x);
	} while (result > 0);
	return result;
}

/* Digits in `base` and nothing else, up to REPLY_LENGTH_MAX; `end` is what may follow them. */
static int parse_size(const char *text, int base, const char *end, size_t *ret_size)
{
	unsigned long long size;
	char *stop;

	if (!isxdigit((unsigned char)*text))
		return -EPROTO;
	size = strtoull(text, &stop, base);
	if (stop == text || (*stop && !strchr(end, *stop)))
		return -EPROTO;
	if (size > REPLY_LENGTH_MAX) /* what does not fit the type becomes its largest */
		return -EFBIG;
	*ret_size = (size_t)size;
	return 0;
}

static int parse_field(char *line, struct head *head)
{
	char *value = strchr(line, ':');
	size_t length;
	int result;

	if (!value || value == line)
		return -EPROTO;
	*value++ = '\0';
	value += strspn(value, " \t");
	for (char *end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	if (strcasecmp(line, "Content-Length") == 0) {
		result = parse_size(value, 10, "", &length);
		if (result < 0)
			return result;
		if (head->has_length && length != head->length)
			return -EPROTO;
		head->has_length = true;
		head->length = length;
	} else if (strcasecmp(line, "Transfer-Encoding") == 0) {
		if (strcasecmp(value, "chunked") != 0)
			return -EPROTO;
		head->chunked = true;
	}
	return 0;
}

static int parse_status(const char *line, int *ret_status)
{
	int minor, status, length = 0;

	if (sscanf(line, "HTTP/1.%1d %3d%n", &minor, &status, &length) != 2 || status < 100 ||
	    (line[length] && line[length] != ' '))
		return -EPROTO;
	*ret_status = status;
	return 0;
}

/* Header fields, or the trailer behind chunks, up to the empty line. */
static int take_fields(struct exchange *x, struct head *head)
{
	for (int count = 0; count < LINE_COUNT_MAX; count++) {
		char *line;
		int result = take_line(x, &line);

		if (result < 0)
			return result;
		if (!*line)
			return 0;
		result = parse_field(line, head);
		if (result < 0)
			return result;
	}
	return -EPROTO;
}

/* The head of the reply proper: informational ones before it are passed over. */
static int take_head(struct exchange *x, struct head *ret_head)
{
	struct head head;
	char *line;
	int result;

	do {
		head = (struct head){0};
		result = take_line(x, &line);
		if (result == 0)
			result = parse_status(line, &head.status);
		if (result == 0)
			result = take_fields(x, &head);
		if (result < 0)
			return result;
	} while (head.status < 200);
	*ret_head = head;
	return 0;
}

static int take_chunks(struct exchange *x, struct text *body)
{
	struct head trailer = {0};

	for (;;) {
		char *line;
		size_t size = 0;
		int result = take_line(x, &line);

		if (result == 0)
			result = parse_size(line, 16, " \t;", &size);
		if (result < 0)
			return result;
		if (size == 0)
			return take_fields(x, &trailer);
		result = take_bytes(x, size, body);
		if (result == 0)
			result = take_line(x, &line);
		if (result < 0)
			return result;
		if (*line)
			return -EPROTO;
	}
}

static int take_reply(struct exchange *x, struct http_reply *ret)
{
	_cleanup_text_ struct text body = {0};
	struct head head;
	int result = take_head(x, &head);

	if (result < 0)
		return result;
	if (head.status == 204 || head.status == 304)
		result = 0;
	else if (head.chunked)
		result = take_chunks(x, &body);
	else if (head.has_length)
		result = take_bytes(x, head.length, &body);
	else
		result = take_to_end(x, &body);
	if (result < 0)
		return result;
	ret->length = body.length;
	ret->body = text_steal(&body);
	if (!ret->body)
		return -ENOMEM;
	ret->status = head.status;
	return 0;
}

static int explain(const struct exchange *x, int code, struct rtreg_error *error)
{
	switch (code) {
	case -ETIMEDOUT:
		return error_set(error, code, NULL, "no answer from rtregd at %s within %g s", x->socket,
		                 (double)x->wait->timeout_ms / 1000);
	case -EPROTO:
		return error_set(error, code, NULL, "what answers at %s does not speak HTTP as rtregd does",
		                 x->socket);
	case -ECONNRESET:
	case -EPIPE:
		return error_set(error, -ECONNRESET, NULL,
		                 "rtregd at %s closed the connection before its reply was complete",
		                 x->socket);
	case -EFBIG:
		return error_set(error, code, NULL, "the reply of rtregd at %s is larger than %zu MiB",
		                 x->socket, REPLY_LENGTH_MAX >> 20);
	default:
		return error_set(error, code, NULL, "cannot talk to rtregd at %s: %s", x->socket,
		                 strerror(-code));
	}
}

int http_call(const char *socket, const struct http_request *request, const struct http_wait *wait,
              struct http_reply *ret, struct rtreg_error *error)
{
	_cleanup_exchange_ struct exchange x = {
	        .socket = socket, .wait = wait, .begin_ms = now_ms(), .fd = -1};
	int result;

	write_request(&x.out, request);
	if (x.out.failed)
		return error_no_memory(error);
	result = open_connection(&x);
	if (result < 0 && result != -ETIMEDOUT)
		return error_set(error, result, NULL, "cannot connect to %s: %s", socket, strerror(-result));
	if (result == 0)
		result = take_reply(&x, ret);
	return result < 0 ? explain(&x, result, error) : 0;
}
