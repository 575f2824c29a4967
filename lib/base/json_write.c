/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

/* A comma, unless this is the first in its bracket, follows a key, or begins the text. */
static void separate(struct text *text)
{
	char last = text->length > 0 && text->data ? text->data[text->length - 1] : '\0';

	if (text->length > 0 && last != '{' && last != '[' && last != ':' && last != ',' && last != '\n')
		text_append_char(text, ',');
}

void json_open(struct text *text, char bracket)
{
	separate(text);
	text_append_char(text, bracket);
}

void json_close(struct text *text, char bracket)
{
	text_append_char(text, bracket);
}

static void append_escaped(struct text *text, unsigned char byte)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *s = shorts; *s; s += 2)
		if ((unsigned char)s[0] == byte) {
			text_append_char(text, '\\');
			text_append_char(text, s[1]);
			return;
		}
	text_printf(text, "\\u%04x", byte);
}

void json_string_n(struct text *text, const char *string, size_t length)
{
	size_t begin = 0, at = 0;

	separate(text);
	text_append_char(text, '"');
	while (at < length) {
		unsigned char byte = (unsigned char)string[at];
		size_t size = utf8_sequence(string + at, length - at);

		if (size > 0 && byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
			at += size;
			continue;
		}
		text_append_n(text, string + begin, at - begin);
		if (size == 0)
			text_append(text, "\xef\xbf\xbd");
		else
			append_escaped(text, byte);
		begin = ++at;
	}
	text_append_n(text, string + begin, at - begin);
	text_append_char(text, '"');
}

void json_string(struct text *text, const char *string)
{
	if (string)
		json_string_n(text, string, strlen(string));
	else
		json_null(text);
}

void json_key(struct text *text, const char *key)
{
	json_string(text, key);
	text_append_char(text, ':');
}

void json_int(struct text *text, int64_t number)
{
	separate(text);
	text_printf(text, "%" PRId64, number);
}

void json_uint(struct text *text, uint64_t number)
{
	separate(text);
	text_printf(text, "%" PRIu64, number);
}

void json_boolean(struct text *text, bool value)
{
	json_raw(text, value ? "true" : "false");
}

void json_null(struct text *text)
{
	json_raw(text, "null");
}

void json_raw(struct text *text, const char *json)
{
	separate(text);
	text_append(text, json ? json : "null");
}

void json_member_string(struct text *text, const char *key, const char *string)
{
	json_key(text, key);
	json_string(text, string);
}

void json_member_int(struct text *text, const char *key, int64_t number)
{
	json_key(text, key);
	json_int(text, number);
}

void json_member_uint(struct text *text, const char *key, uint64_t number)
{
	json_key(text, key);
	json_uint(text, number);
}

void json_member_bool(struct text *text, const char *key, bool value)
{
	json_key(text, key);
	json_boolean(text, value);
}

void json_member_raw(struct text *text, const char *key, const char *json)
{
	json_key(text, key);
	json_raw(text, json);
}
