/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/message.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_COUNT_MAX 1000

/* What a reply's head says about its body, and about the connection. */
struct head {
	int status;
	bool chunked, has_length, closes;
	size_t length;
};

/* The body as it comes: kept whole, or handed on line by line. */
struct body {
	const struct http_stream *stream; /* NULL: kept whole */
	struct text text;                 /* all of it, or what there is of a line that has not ended */
};

static void body_fini(struct body *body)
{
	text_fini(&body->text);
}
#define _cleanup_body_ _cleanup_(body_fini)

void message_write(struct text *out, const struct http_request *request, bool keep)
{
	text_printf(out,
	            "%s %s HTTP/1.1\r\nHost: rtreg\r\nUser-Agent: rtreg/%s\r\nAccept: application/json\r\n",
	            request->method, request->target, RTREG_VERSION);
	if (!keep)
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
	} else if (strcasecmp(line, "Connection") == 0) {
		head->closes = head->closes || strcasecmp(value, "keep-alive") != 0;
	}
	return 0;
}

/* A server of HTTP/1.0 closes where it does not say otherwise; such a connection is not kept. */
static int parse_status(const char *line, struct head *head)
{
	int minor, status, length = 0;

	if (sscanf(line, "HTTP/1.%1d %3d%n", &minor, &status, &length) != 2 || status < 100 ||
	    (line[length] && line[length] != ' '))
		return -EPROTO;
	head->status = status;
	head->closes = minor == 0;
	return 0;
}

/* Header fields, or the trailer behind chunks, up to the empty line. */
static int take_fields(struct exchange *x, struct head *head)
{
	for (int count = 0; count < LINE_COUNT_MAX; count++) {
		char *line;
		int result = exchange_line(x, &line);

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
		result = exchange_line(x, &line);
		if (result == 0)
			result = parse_status(line, &head);
		if (result == 0)
			result = take_fields(x, &head);
		if (result < 0)
			return result;
	} while (head.status < 200);
	*ret_head = head;
	return 0;
}

/* Hands on the lines that have ended since there were `before` bytes. Returns what ended it, or 0. */
static int hand_on_lines(struct body *body, size_t before)
{
	char *begin = body->text.data, *from = begin + before, *end = begin + body->text.length, *newline;
	int result = 0;

	while (result == 0 && (newline = memchr(from, '\n', (size_t)(end - from)))) {
		*newline = '\0';
		result = body->stream->line(body->stream->context, begin, (size_t)(newline - begin));
		begin = from = newline + 1;
	}
	body->text.length = (size_t)(end - begin);
	if (begin > body->text.data)
		memmove(body->text.data, begin, body->text.length);
	return result;
}

/* Returns 0, 1 if a stream has come to its end by what line() says, or a negative errno. */
static int body_add(struct body *body, const char *bytes, size_t count)
{
	size_t before = body->text.length;

	if (count > REPLY_LENGTH_MAX - before)
		return -EFBIG;
	text_append_n(&body->text, bytes, count);
	if (body->text.failed)
		return -ENOMEM;
	return body->stream ? hand_on_lines(body, before) : 0;
}

/* The last line of a stream may lack its end. */
static int body_end(struct body *body)
{
	if (!body->stream || body->text.length == 0)
		return 0;
	text_append_char(&body->text, '\n');
	return body->text.failed ? -ENOMEM : hand_on_lines(body, body->text.length - 1);
}

static int take_bytes(struct exchange *x, size_t count, struct body *body)
{
	while (count > 0) {
		const char *bytes;
		ssize_t size = exchange_some(x, count, &bytes);
		int result;

		if (size <= 0)
			return size == 0 ? -ECONNRESET : (int)size;
		count -= (size_t)size;
		result = body_add(body, bytes, (size_t)size);
		if (result != 0)
			return result;
	}
	return 0;
}

static int take_to_end(struct exchange *x, struct body *body)
{
	for (;;) {
		const char *bytes;
		ssize_t size = exchange_some(x, SIZE_MAX, &bytes);
		int result;

		if (size <= 0)
			return (int)size;
		result = body_add(body, bytes, (size_t)size);
		if (result != 0)
			return result;
	}
}

static int take_chunks(struct exchange *x, struct body *body)
{
	struct head trailer = {0};

	for (;;) {
		char *line;
		size_t size = 0;
		int result = exchange_line(x, &line);

		if (result == 0)
			result = parse_size(line, 16, " \t;", &size);
		if (result < 0)
			return result;
		if (size == 0)
			return take_fields(x, &trailer);
		result = take_bytes(x, size, body);
		if (result == 0)
			result = exchange_line(x, &line);
		if (result != 0)
			return result;
		if (*line)
			return -EPROTO;
	}
}

static int take_body(struct exchange *x, const struct head *head, struct body *body)
{
	int result;

	if (head->status == 204 || head->status == 304)
		return 0;
	if (head->chunked)
		result = take_chunks(x, body);
	else if (head->has_length)
		result = take_bytes(x, head->length, body);
	else
		result = take_to_end(x, body);
	return result == 0 ? body_end(body) : result;
}

/* Whether the next reply would begin where this one has ended. */
static bool ends_cleanly(const struct exchange *x, const struct head *head)
{
	bool delimited = head->chunked || head->has_length || head->status == 204 || head->status == 304;

	return delimited && !head->closes && x->sent == x->out.length && x->taken == x->in.length;
}

int message_take(struct exchange *x, const struct http_stream *stream, struct http_reply *ret, bool *ret_keep)
{
	_cleanup_body_ struct body body = {0};
	struct head head;
	size_t length;
	char *kept;
	int result = take_head(x, &head);

	if (result < 0)
		return result;
	if (stream && head.status >= 200 && head.status < 300) {
		body.stream = stream;
		x->endless = stream->endless;
	}
	result = take_body(x, &head, &body);
	if (result < 0)
		return result;
	text_append(&body.text, "");
	length = body.stream ? 0 : body.text.length;
	kept = text_steal(&body.text);
	if (!kept)
		return -ENOMEM;
	*ret = (struct http_reply){.status = head.status, .body = kept, .length = length};
	*ret_keep = ends_cleanly(x, &head);
	return result;
}
