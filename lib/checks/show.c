/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/show.h"

#include "base/text.h"
#include "checks/span.h"
#include "values/mask.h"

static void quote_char(struct text *text, unsigned char c)
{
	static const char names[] = "abtnvfr"; /* 0x07 to 0x0d */

	if (c == '"' || c == '\\')
		text_printf(text, "\\%c", c);
	else if (c >= 0x07 && c <= 0x0d)
		text_printf(text, "\\%c", names[c - 0x07]);
	else if (c < 0x20 || c == 0x7f)
		text_printf(text, "\\x%02x", c);
	else
		text_append_char(text, (char)c);
}

char *show_quoted(const char *string)
{
	_cleanup_text_ struct text text = {0};

	text_append_char(&text, '"');
	for (; *string; string++)
		quote_char(&text, (unsigned char)*string);
	text_append_char(&text, '"');
	return text_steal(&text);
}

char *show_masked(const char *string, bool is_valid_url)
{
	_cleanup_text_ struct text text = {0};
	const char *start = string + mask_scheme_length(string), *colon;
	const char *at = span_last((struct span){start, strcspn(start, "/?#")}, '@');

	if (!at && !is_valid_url)
		at = strrchr(start, '@');
	if (!at) {
		text_append(&text, string);
		return text_steal(&text);
	}
	colon = memchr(start, ':', (size_t)(at - start));
	text_append_n(&text, string, (size_t)((colon ? colon : at) - string));
	text_append(&text, ":xxxxx");
	text_append(&text, at);
	return text_steal(&text);
}
