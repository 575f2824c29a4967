/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A part of a string that is only looked at. */
#ifndef RTREG_CHECKS_SPAN_H
#define RTREG_CHECKS_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *start; /* NULL: there is none */
	size_t length;
};

/* For "%.*s". */
#define SPAN_ARGS(span) (int)(span).length, (span).start

/* What JSON, Go and people call white space, within ASCII. */
static inline bool span_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool span_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool span_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool span_is_alnum(char c)
{
	return span_is_letter(c) || span_is_digit(c);
}

static inline struct span span_trim(struct span span)
{
	while (span.length > 0 && span_is_space(span.start[0])) {
		span.start++;
		span.length--;
	}
	while (span.length > 0 && span_is_space(span.start[span.length - 1]))
		span.length--;
	return span;
}

static inline struct span span_of(const char *string)
{
	return (struct span){.start = string, .length = strlen(string)};
}

/* The last `c` in it, or NULL. */
static inline const char *span_last(struct span span, char c)
{
	for (size_t i = span.length; i > 0; i--)
		if (span.start[i - 1] == c)
			return span.start + i - 1;
	return NULL;
}

/* Only digits, at least one. */
static inline bool span_is_number(struct span span)
{
	for (size_t i = 0; i < span.length; i++)
		if (!span_is_digit(span.start[i]))
			return false;
	return span.length > 0;
}

/* The number that only digits make, `limit` + 1 for any that is larger. */
static inline unsigned span_number(struct span span, unsigned limit)
{
	unsigned number = 0;

	for (size_t i = 0; i < span.length && number <= limit; i++)
		number = number * 10 + (unsigned)(span.start[i] - '0');
	return number <= limit ? number : limit + 1;
}

#endif
