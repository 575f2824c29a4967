/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/visible.h"

#include <string.h>

#include "base/utf8.h"

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static void append(struct text *text, const char *string, const char *end)
{
	while (string < end) {
		const char *begin = string;

		while (string < end && !is_control(*string))
			string++;
		text_append_n(text, begin, (size_t)(string - begin));
		if (string == end)
			return;
		if (*string == '\n')
			text_append(text, "\\n");
		else if (*string == '\t')
			text_append(text, "\\t");
		else
			text_printf(text, "\\u%04x", (unsigned char)*string);
		string++;
	}
}

void visible_append(struct text *text, const char *string)
{
	append(text, string, string + strlen(string));
}

void visible_append_cut(struct text *text, const char *string, size_t limit)
{
	size_t length = strnlen(string, limit + 1);

	if (length <= limit) {
		append(text, string, string + length);
		return;
	}
	append(text, string, string + utf8_prefix(string, length, limit));
	text_append(text, ELLIPSIS);
}
