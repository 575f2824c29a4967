/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/visible.h"

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void visible_append(struct text *text, const char *string)
{
	while (*string) {
		const char *begin = string;

		while (*string && !is_control(*string))
			string++;
		text_append_n(text, begin, (size_t)(string - begin));
		if (*string == '\n')
			text_append(text, "\\n");
		else if (*string == '\t')
			text_append(text, "\\t");
		else if (*string)
			text_printf(text, "\\u%04x", (unsigned char)*string);
		string += *string != '\0';
	}
}
