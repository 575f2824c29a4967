/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/visible.h"

void visible_append(struct text *text, const char *string)
{
	for (; *string; string++) {
		unsigned char byte = (unsigned char)*string;

		if (byte == '\n')
			text_append(text, "\\n");
		else if (byte == '\t')
			text_append(text, "\\t");
		else if (byte < 0x20 || byte == 0x7f)
			text_printf(text, "\\u%04x", byte);
		else
			text_append_char(text, *string);
	}
}
