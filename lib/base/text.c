/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_fini(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

/* Makes room for `more` bytes and a NUL. */
static bool text_reserve(struct text *text, size_t more)
{
	size_t capacity = text->capacity ? text->capacity : 64;
	char *data;

	if (text->failed)
		return false;
	if (text->data && more < text->capacity - text->length)
		return true;
	while (capacity - text->length <= more) {
		if (capacity > SIZE_MAX / 2) {
			text->failed = true;
			return false;
		}
		capacity *= 2;
	}
	data = realloc(text->data, capacity);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void text_append_n(struct text *text, const char *bytes, size_t length)
{
	if (!text_reserve(text, length))
		return;
	if (length > 0)
		memcpy(text->data + text->length, bytes, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_append(struct text *text, const char *string)
{
	text_append_n(text, string, strlen(string));
}

void text_append_char(struct text *text, char c)
{
	text_append_n(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		text->failed = true;
	if (length < 0 || !text_reserve(text, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
}

char *text_steal(struct text *text)
{
	char *data;

	text_append_n(text, "", 0);
	if (text->failed) {
		text_fini(text);
		return NULL;
	}
	data = text->data;
	*text = (struct text){0};
	return data;
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}
