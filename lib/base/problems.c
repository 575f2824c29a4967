/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/problems.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/visible.h"

/* Bytes of what is quoted from a configuration, whose strings may have megabytes. */
#define MAX_MESSAGE 4096

/*
 * A message as one line, whatever stands in the configuration that it quotes; malloc'ed, NULL without memory.
 */
__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list args)
{
	_cleanup_free_ char *raw = NULL;
	struct text message = {0};

	if (vasprintf(&raw, format, args) < 0) {
		raw = NULL;
		return NULL;
	}
	visible_append_cut(&message, raw, MAX_MESSAGE);
	return text_steal(&message);
}

/*
 * Past this many of a kind, one more line says so: a broken file of 16 MiB must not become a reply of a
 * gigabyte.
 */
#define MAX_PROBLEMS 100

static void list_fini(struct problem_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].where);
		free(list->items[i].message);
	}
	free(list->items);
	*list = (struct problem_list){0};
}

void problems_fini(struct problems *problems)
{
	list_fini(&problems->errors);
	list_fini(&problems->warnings);
	list_fini(&problems->ignored);
	problems->failed = false;
}

static bool list_has(const struct problem_list *list, const char *where, const char *message)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].where, where) == 0 && strcmp(list->items[i].message, message) == 0)
			return true;
	return false;
}

static bool list_grow(struct problem_list *list)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 8;
	struct problem *items;

	if (list->count < list->capacity)
		return true;
	items = reallocarray(list->items, capacity, sizeof(*items));
	if (!items)
		return false;
	list->items = items;
	list->capacity = capacity;
	return true;
}

__attribute__((format(printf, 5, 0))) static void list_add(struct problems *problems,
                                                           struct problem_list *list, int code,
                                                           const char *where, const char *format,
                                                           va_list args)
{
	_cleanup_free_ char *message = NULL, *place = NULL;
	bool full = list->count >= MAX_PROBLEMS;

	if (list->count > MAX_PROBLEMS)
		return;
	if (full)
		message = strdup("further problems are not listed");
	else
		message = format_message(format, args);
	place = where && !full ? strndup(where, MAX_MESSAGE) : strdup("");
	if (!message || !place) {
		problems->failed = true;
		return;
	}
	if (list_has(list, place, message))
		return;
	if (!list_grow(list)) {
		problems->failed = true;
		return;
	}
	list->items[list->count++] =
	        (struct problem){.code = code, .where = take(place), .message = take(message)};
}

__attribute__((format(printf, 4, 5))) static void list_add_line(struct problems *problems,
                                                                struct problem_list *list, const char *where,
                                                                const char *format, ...)
{
	va_list args;

	va_start(args, format);
	list_add(problems, list, 0, where, format, args);
	va_end(args);
}

void problems_error(struct problems *problems, int code, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	list_add(problems, &problems->errors, code, where, format, args);
	va_end(args);
}

void problems_warn(struct problems *problems, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	list_add(problems, &problems->warnings, 0, where, format, args);
	va_end(args);
}

void problems_ignore(struct problems *problems, const char *key, const char *format, ...)
{
	_cleanup_free_ char *reason = NULL;
	va_list args;

	va_start(args, format);
	reason = format_message(format, args);
	va_end(args);
	if (!reason) {
		problems->failed = true;
		return;
	}
	problems_warn(problems, key, "%s: %s", key, reason);
	va_start(args, format);
	list_add(problems, &problems->ignored, 0, key, format, args);
	va_end(args);
}

void problems_take_warnings(struct problems *to, struct problems *from)
{
	for (size_t i = 0; i < from->warnings.count; i++)
		problems_warn(to, from->warnings.items[i].where, "%s", from->warnings.items[i].message);
	to->failed |= from->failed;
	problems_fini(from);
}

void problems_copy_of(struct problems *to, const struct problem *error, const char *path, const char *name)
{
	_cleanup_text_ struct text where = {0};

	text_append(&where, name ? name : "");
	text_append(&where, name && error->where[0] ? ": " : "");
	text_append(&where, error->where);
	to->failed |= where.failed;
	problems_error(to, error->code, text_string(&where), "%s%s%s", path ? path : "", path ? ": " : "",
	               error->message);
}

void problems_take_of(struct problems *to, struct problems *from, const char *path, const char *name)
{
	_cleanup_text_ struct text prefix = {0};

	text_append(&prefix, path ? path : "");
	text_append(&prefix, path ? ": " : "");
	to->failed |= prefix.failed || from->failed;
	for (size_t i = 0; i < from->errors.count; i++)
		problems_copy_of(to, &from->errors.items[i], path, name);
	for (size_t i = 0; i < from->warnings.count; i++)
		problems_warn(to, from->warnings.items[i].where, "%s%s", text_string(&prefix),
		              from->warnings.items[i].message);
	for (size_t i = 0; i < from->ignored.count; i++)
		list_add_line(to, &to->ignored, from->ignored.items[i].where, "%s%s", text_string(&prefix),
		              from->ignored.items[i].message);
	problems_fini(from);
}

/* Copies as much as fits; what is cut ends in "…", and never inside a UTF-8 sequence. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t length = strlen(from), end;

	if (length < size) {
		memcpy(to, from, length + 1);
		return;
	}
	end = utf8_prefix(from, length, size - sizeof(ELLIPSIS));
	memcpy(to, from, end);
	memcpy(to + end, ELLIPSIS, sizeof(ELLIPSIS));
}

static void error_fill(struct rtreg_error *error, int code, const char *where, const char *message)
{
	error->code = code;
	copy_text(error->where, sizeof(error->where), where ? where : "");
	copy_text(error->message, sizeof(error->message), message);
}

void rtreg_error_fini(struct rtreg_error *error)
{
	if (!error)
		return;
	if (error->more) {
		for (size_t i = 0; i < error->more->count; i++)
			rtreg_error_fini(&error->more->errors[i]);
		free(error->more->errors);
		free(error->more);
	}
	memset(error, 0, sizeof(*error));
}

/* Room for `count` more errors; NULL without memory: the primary one must do. */
static struct rtreg_error *error_more(struct rtreg_error *error, size_t count)
{
	struct rtreg_error *errors;

	if (!error->more)
		error->more = calloc(1, sizeof(*error->more));
	if (!error->more)
		return NULL;
	errors = reallocarray(error->more->errors, error->more->count + count, sizeof(*errors));
	if (!errors)
		return NULL;
	error->more->errors = errors;
	memset(errors + error->more->count, 0, count * sizeof(*errors));
	error->more->count += count;
	return errors + error->more->count - count;
}

int problems_result(const struct problems *problems, struct rtreg_error *error)
{
	const struct problem_list *list = &problems->errors;
	struct rtreg_error *further;

	if (list->count == 0)
		return problems->failed ? error_no_memory(error) : 0;
	if (!error)
		return list->items[0].code;
	rtreg_error_fini(error);
	error_fill(error, list->items[0].code, list->items[0].where, list->items[0].message);
	if (list->count > 1) {
		further = error_more(error, list->count - 1);
		for (size_t i = 1; further && i < list->count; i++)
			error_fill(&further[i - 1], list->items[i].code, list->items[i].where,
			           list->items[i].message);
	}
	return list->items[0].code;
}

int error_set(struct rtreg_error *error, int code, const char *where, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;

	if (!error)
		return code;
	va_start(args, format);
	message = format_message(format, args);
	va_end(args);
	rtreg_error_fini(error);
	error_fill(error, code, where, message ? message : "out of memory");
	return code;
}

int error_set_line(struct rtreg_error *error, int code, const char *where, const char *line)
{
	if (error) {
		rtreg_error_fini(error);
		error_fill(error, code, where, line);
	}
	return code;
}

void error_move(struct rtreg_error *error, struct rtreg_error *from)
{
	if (!error)
		return;
	rtreg_error_fini(error);
	*error = *from;
	*from = (struct rtreg_error){0};
}

void error_add(struct rtreg_error *error, int code, const char *where, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	struct rtreg_error *place;
	va_list args;

	if (!error)
		return;
	va_start(args, format);
	message = format_message(format, args);
	va_end(args);
	place = error->code == 0 ? error : error_more(error, 1);
	if (place)
		error_fill(place, code, where, message ? message : "out of memory");
}
