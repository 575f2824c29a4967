/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A state machine over the text with one byte of stack for each open bracket: what may come next is the
 * state, so that each error can say what was expected. Messages quote one character of the text at most,
 * since what stands around it can be a secret.
 */
#include "bytes/scan.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "base/utf8.h"
#include "bytes/hint.h"

enum state {
	VALUE,       /* at the top, behind a colon, or behind a comma in an array */
	FIRST_VALUE, /* behind '[' */
	KEY,         /* behind a comma in an object */
	FIRST_KEY,   /* behind '{' */
	AFTER_VALUE,
	DONE,
};

struct scanner {
	const char *text;
	size_t length, at;
	size_t comma; /* where the last comma between values stands */
	enum state state;
	unsigned depth;
	char open[SCAN_MAX_DEPTH];
	struct rtreg_error *error;
};

#define FOUND_SIZE 32

static bool at_end(const struct scanner *s)
{
	return s->at >= s->length;
}

/* The byte at hand; NUL at the end too, where at_end() tells the difference. */
static char byte_at(const struct scanner *s)
{
	return at_end(s) ? '\0' : s->text[s->at];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t code_point(const char *bytes, size_t size)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)bytes[0] & masks[size];

	for (size_t i = 1; i < size; i++)
		code = code << 6 | ((unsigned char)bytes[i] & 0x3f);
	return code;
}

/* Names the character at hand for a message. */
static const char *found(const struct scanner *s, char buffer[FOUND_SIZE])
{
	size_t size = utf8_sequence(s->text + s->at, s->length - s->at);
	unsigned char byte = (unsigned char)byte_at(s);

	if (at_end(s))
		return "the end of the text";
	if (byte == '\0')
		return "a NUL byte";
	if (byte == '\'')
		return "\"'\"";
	if (size > 1)
		snprintf(buffer, FOUND_SIZE, "U+%04X", (unsigned)code_point(s->text + s->at, size));
	else if (byte < 0x20 || byte >= 0x7f)
		snprintf(buffer, FOUND_SIZE, "byte 0x%02X", byte);
	else
		snprintf(buffer, FOUND_SIZE, "'%c'", byte);
	return buffer;
}

static void locate(const struct scanner *s, size_t *ret_line, size_t *ret_column)
{
	const char *begin = s->text, *end = s->text + s->at, *newline;
	size_t line = 1;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		begin = newline + 1;
		line++;
	}
	*ret_line = line;
	*ret_column = (size_t)(end - begin) + 1;
}

/* `before`, `name` and `after` are joined; the hint, if there is one, stands behind. */
static int fail(const struct scanner *s, const char *before, const char *name, const char *after)
{
	const char *hint = hint_find(s->text, s->length, s->at);
	size_t line, column;
	char where[64];

	locate(s, &line, &column);
	snprintf(where, sizeof(where), "line %zu, column %zu", line, column);
	return error_set(s->error, -EINVAL, where, "invalid JSON: %s: %s%s%s%s%s%s", where, before, name,
	                 after, hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}

static int fail_expected(const struct scanner *s, const char *expected)
{
	char text[96], name[FOUND_SIZE];

	snprintf(text, sizeof(text), "expected %s, found ", expected);
	return fail(s, text, found(s, name), "");
}

static void skip_white(struct scanner *s)
{
	for (char c = byte_at(s); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = byte_at(s))
		s->at++;
}

static int scan_unicode_escape(struct scanner *s)
{
	size_t begin = s->at - 1;
	bool zero = true;

	s->at++;
	for (int i = 0; i < 4; i++, s->at++) {
		char c = byte_at(s);

		if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return fail_expected(s, "four hexadecimal digits behind \\u");
		zero = zero && c == '0';
	}
	if (zero) {
		s->at = begin;
		return fail(s, "\\u0000 in a string: no string may hold a NUL", "", "");
	}
	return 0;
}

static int scan_escape(struct scanner *s)
{
	char c;

	s->at++;
	c = byte_at(s);
	if (c == 'u')
		return scan_unicode_escape(s);
	if (c == '\0' || !strchr("\"\\/bfnrt", c))
		return fail_expected(s, "one of \"\\/bfnrtu behind the backslash");
	s->at++;
	return 0;
}

/* A byte that may not stand in a string as it is. */
static int fail_in_string(const struct scanner *s)
{
	char name[FOUND_SIZE];
	char c = byte_at(s);

	if (at_end(s))
		return fail(s, "the text ends inside a string", "", "");
	if (c == '\n' || c == '\r')
		return fail(s, "a line break in a string", "", "");
	if ((unsigned char)c >= 0x80)
		return fail(s, "", found(s, name), " is not valid UTF-8");
	return fail(s, "a control character in a string: ", found(s, name), "");
}

/* Bytes that are like any other in a string: what most strings are made of. */
static void skip_plain(struct scanner *s)
{
	size_t at = s->at;

	while (at < s->length && s->text[at] >= 0x20 && s->text[at] < 0x7f && s->text[at] != '"' &&
	       s->text[at] != '\\')
		at++;
	s->at = at;
}

static int scan_string(struct scanner *s)
{
	int r;

	s->at++;
	for (skip_plain(s); byte_at(s) != '"'; skip_plain(s)) {
		size_t size = utf8_sequence(s->text + s->at, s->length - s->at);

		if (size == 0 || (unsigned char)byte_at(s) < 0x20)
			return fail_in_string(s);
		if (byte_at(s) != '\\') {
			s->at += size;
			continue;
		}
		r = scan_escape(s);
		if (r < 0)
			return r;
	}
	s->at++;
	return 0;
}

static int scan_digits(struct scanner *s, const char *expected)
{
	if (!is_digit(byte_at(s)))
		return fail_expected(s, expected);
	while (is_digit(byte_at(s)))
		s->at++;
	return 0;
}

static int scan_number(struct scanner *s)
{
	int r = 0;

	if (byte_at(s) == '-')
		s->at++;
	if (byte_at(s) == '0') {
		s->at++;
		if (is_digit(byte_at(s)))
			return fail(s, "a number with a leading zero", "", "");
	} else {
		r = scan_digits(s, "a digit behind '-'");
	}
	if (r == 0 && byte_at(s) == '.') {
		s->at++;
		r = scan_digits(s, "a digit behind the decimal point");
	}
	if (r == 0 && (byte_at(s) == 'e' || byte_at(s) == 'E')) {
		s->at++;
		if (byte_at(s) == '+' || byte_at(s) == '-')
			s->at++;
		r = scan_digits(s, "a digit in the exponent");
	}
	return r;
}

static int scan_literal(struct scanner *s, const char *literal)
{
	for (const char *c = literal; *c; c++, s->at++)
		if (byte_at(s) != *c)
			return fail_expected(s, literal);
	return 0;
}

static int scan_scalar(struct scanner *s, const char *expected)
{
	char c = byte_at(s);

	s->state = AFTER_VALUE;
	if (c == '"')
		return scan_string(s);
	if (c == '-' || is_digit(c))
		return scan_number(s);
	if (c == 't')
		return scan_literal(s, "true");
	if (c == 'f')
		return scan_literal(s, "false");
	if (c == 'n')
		return scan_literal(s, "null");
	return fail_expected(s, expected);
}

static int open_bracket(struct scanner *s)
{
	char c = byte_at(s);

	if (s->depth == SCAN_MAX_DEPTH) {
		_Static_assert(SCAN_MAX_DEPTH == 32, "the message names the limit");
		return fail(s, "nested too deeply: at most 32 levels", "", "");
	}
	s->open[s->depth++] = c;
	s->state = c == '{' ? FIRST_KEY : FIRST_VALUE;
	s->at++;
	return 0;
}

static int close_bracket(struct scanner *s)
{
	s->depth--;
	s->state = AFTER_VALUE;
	s->at++;
	return 0;
}

/* The comma is what should go, so that is the place. */
static int fail_trailing_comma(struct scanner *s)
{
	char name[FOUND_SIZE];

	found(s, name);
	s->at = s->comma;
	return fail(s, "',' before ", name, "");
}

static int step_value(struct scanner *s)
{
	bool in_array = s->depth > 0 && s->open[s->depth - 1] == '[';
	char c = byte_at(s);

	if (c == ']' && s->state == FIRST_VALUE)
		return close_bracket(s);
	if (c == ']' && in_array)
		return fail_trailing_comma(s);
	if (c == '{' || c == '[')
		return open_bracket(s);
	return scan_scalar(s, s->state == FIRST_VALUE ? "a value or ']'" : "a value");
}

static int step_key(struct scanner *s)
{
	char c = byte_at(s);
	int r;

	if (c == '}' && s->state == FIRST_KEY)
		return close_bracket(s);
	if (c == '}')
		return fail_trailing_comma(s);
	if (c != '"')
		return fail_expected(s, s->state == FIRST_KEY ? "a key in double quotes or '}'"
		                                              : "a key in double quotes");
	r = scan_string(s);
	if (r < 0)
		return r;
	skip_white(s);
	if (byte_at(s) != ':')
		return fail_expected(s, "':' behind the key");
	s->at++;
	s->state = VALUE;
	return 0;
}

static int step_after_value(struct scanner *s)
{
	char name[FOUND_SIZE];
	char c = byte_at(s);
	bool in_object;

	if (s->depth == 0 && at_end(s)) {
		s->state = DONE;
		return 0;
	}
	if (s->depth == 0)
		return fail(s, "found ", found(s, name), " behind the end of the value");
	in_object = s->open[s->depth - 1] == '{';
	if (c == (in_object ? '}' : ']'))
		return close_bracket(s);
	if (c != ',')
		return fail_expected(s, in_object ? "',' or '}'" : "',' or ']'");
	s->comma = s->at++;
	s->state = in_object ? KEY : VALUE;
	return 0;
}

int scan_json(const char *text, size_t length, struct scan *ret, struct rtreg_error *error)
{
	struct scanner s = {.text = text, .length = length, .state = VALUE, .error = error};
	int r = 0;

	skip_white(&s);
	if (at_end(&s)) {
		*ret = (struct scan){.blank = true};
		return 0;
	}
	while (r == 0 && s.state != DONE) {
		skip_white(&s);
		if (s.state == VALUE || s.state == FIRST_VALUE)
			r = step_value(&s);
		else if (s.state == KEY || s.state == FIRST_KEY)
			r = step_key(&s);
		else
			r = step_after_value(&s);
	}
	if (r == 0)
		*ret = (struct scan){.blank = false};
	return r;
}
