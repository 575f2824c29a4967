/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/url.h"

#include <arpa/inet.h>
#include <errno.h>

static struct span between(const char *start, const char *end)
{
	return (struct span){.start = start, .length = (size_t)(end - start)};
}

static bool is_hex(char c)
{
	return span_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/*
 * Only bytes that are letters, digits, beyond ASCII, among `others`, or a percent sign with two hex digits.
 */
static bool holds_only(struct span span, const char *others)
{
	for (size_t i = 0; i < span.length; i++) {
		char c = span.start[i];

		if (c == '%' &&
		    !(i + 2 < span.length && is_hex(span.start[i + 1]) && is_hex(span.start[i + 2])))
			return false;
		if (c != '%' && !span_is_alnum(c) && !(c & 0x80) && !strchr(others, c))
			return false;
	}
	return true;
}

static bool escapes_are_whole(struct span span)
{
	for (size_t i = 0; i < span.length; i++)
		if (span.start[i] == '%' &&
		    !(i + 2 < span.length && is_hex(span.start[i + 1]) && is_hex(span.start[i + 2])))
			return false;
	return true;
}

static bool has_control(const char *string)
{
	for (; *string; string++)
		if ((unsigned char)*string < 0x20 || *string == 0x7f)
			return true;
	return false;
}

/* `start` is behind the '[' of an address in brackets; a zone is written %25eth0. */
static bool is_ipv6(struct span span)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	const char *zone = memmem(span.start, span.length, "%25", 3);
	size_t length = zone ? (size_t)(zone - span.start) : span.length;

	if (length >= sizeof(address))
		return false;
	memcpy(address, span.start, length);
	address[length] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1;
}

static const char *parse_bracketed_host(struct span span, struct url *ret)
{
	const char *end = span.start + span.length, *close = span_last(span, ']');

	if (!close)
		return "missing ']' in host";
	ret->host = between(span.start + 1, close);
	if (!is_ipv6(ret->host))
		return "invalid IPv6 address in host";
	if (close + 1 == end)
		return NULL;
	if (close[1] != ':')
		return "unexpected text after ']' in host";
	ret->port = between(close + 2, end);
	return NULL;
}

static const char *parse_host(struct span span, struct url *ret)
{
	const char *colon = span_last(span, ':');

	if (span.length > 0 && span.start[0] == '[')
		return parse_bracketed_host(span, ret);
	ret->host = span;
	if (colon) {
		ret->host = between(span.start, colon);
		ret->port = between(colon + 1, span.start + span.length);
	}
	if (span_last(ret->host, ':'))
		return "too many colons in host, an IPv6 address needs brackets";
	if (!holds_only(ret->host, "-_.~!$&'()*+,;=[]<>\""))
		return "invalid character in host name";
	return NULL;
}

static const char *parse_authority(struct span span, struct url *ret)
{
	const char *at = span_last(span, '@');

	if (!at)
		return parse_host(span, ret);
	ret->user = between(span.start, at);
	if (!holds_only(ret->user, "-._:~!$&'()*+,;=@"))
		return "invalid user info";
	return parse_host(between(at + 1, span.start + span.length), ret);
}

/* The scheme, or none where the text before the first colon cannot be one. */
static struct span find_scheme(const char *string)
{
	const char *end = string;

	if (!span_is_letter(*end))
		return (struct span){0};
	while (span_is_alnum(*end) || *end == '+' || *end == '-' || *end == '.')
		end++;
	return *end == ':' ? between(string, end) : (struct span){0};
}

/* Cuts fragment and query off; returns the end of what is left. */
static const char *cut_tail(const char *string, struct url *ret)
{
	const char *end = string + strlen(string), *mark = strchr(string, '#');

	if (mark) {
		ret->fragment = between(mark + 1, end);
		end = mark;
	}
	mark = memchr(string, '?', (size_t)(end - string));
	if (mark) {
		ret->query = between(mark + 1, end);
		end = mark;
	}
	return end;
}

static const char *parse(const char *string, struct url *ret)
{
	const char *rest = string, *end, *slash, *reason;

	if (has_control(string))
		return "control character";
	ret->scheme = find_scheme(string);
	if (ret->scheme.start)
		rest += ret->scheme.length + 1;
	end = cut_tail(rest, ret);
	if (!escapes_are_whole(ret->fragment))
		return "invalid escape in fragment";
	slash = memchr(rest, '/', (size_t)(end - rest));
	if (!ret->scheme.start && memchr(rest, ':', (size_t)((slash ? slash : end) - rest)))
		return "invalid scheme";
	if (end - rest >= 2 && rest[0] == '/' && rest[1] == '/') {
		slash = memchr(rest + 2, '/', (size_t)(end - rest - 2));
		reason = parse_authority(between(rest + 2, slash ? slash : end), ret);
		if (reason)
			return reason;
		rest = slash ? slash : end;
	}
	ret->path = between(rest, end);
	return escapes_are_whole(ret->path) ? NULL : "invalid escape in path";
}

int url_parse(const char *string, struct url *ret, const char **ret_reason)
{
	struct url url = {0};
	const char *reason = parse(string, &url);

	if (reason) {
		*ret_reason = reason;
		return -EINVAL;
	}
	*ret = url;
	return 0;
}

bool url_port_is_number(const struct url *url)
{
	return url->port.length == 0 || span_is_number(url->port);
}
