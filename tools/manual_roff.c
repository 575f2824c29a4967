/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manual_roff.h"

#include <string.h>

#include "base/utf8.h"

static const struct {
	char character;
	const char *escape;
} escapes[] = {
        {'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"}, {'`', "\\(ga"},
        {'"', "\\(dq"}, {'^', "\\(ha"}, {'~', "\\(ti"},  {'\n', " "},
};

static const char *escape_of(char c)
{
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
		if (escapes[i].character == c)
			return escapes[i].escape;
	return NULL;
}

/* One character past ASCII, of `size` bytes. */
static void append_wide(struct text *page, const char *bytes, size_t size)
{
	unsigned character = (unsigned char)bytes[0] & (0x7fu >> size);

	for (size_t i = 1; i < size; i++)
		character = character << 6 | ((unsigned char)bytes[i] & 0x3fu);
	text_printf(page, "\\[u%04X]", character);
}

static void append_n(struct text *page, const char *string, size_t length)
{
	/* a dot or a quote at the beginning of a line would be a request */
	if (length > 0 && (*string == '.' || *string == '\''))
		text_append(page, "\\&");
	while (length > 0) {
		const size_t size = utf8_sequence(string, length);
		const char *escape = escape_of(*string);

		if (size > 1)
			append_wide(page, string, size);
		else if (escape)
			text_append(page, escape);
		else
			text_append_char(page, *string);
		string += size > 1 ? size : 1;
		length -= size > 1 ? size : 1;
	}
}

void roff_append(struct text *page, const char *string)
{
	append_n(page, string, strlen(string));
}

void roff_sentence(struct text *page, const char *help)
{
	if (*help >= 'a' && *help <= 'z')
		text_append_char(page, (char)(*help++ - 'a' + 'A'));
	roff_append(page, help);
	text_append(page, ".\n");
}

static void in_font(struct text *page, char font, const char *string, size_t length)
{
	text_printf(page, "\\f%c", font);
	append_n(page, string, length);
	text_append(page, "\\fP");
}

void roff_bold(struct text *page, const char *string)
{
	in_font(page, 'B', string, strlen(string));
}

void roff_value(struct text *page, const char *json)
{
	if (*json == '"')
		in_font(page, 'B', json + 1, strlen(json) - 2);
	else
		roff_bold(page, json);
}

/* What begins a word in capitals, and an option or another word. */
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SMALL    "abcdefghijklmnopqrstuvwxyz-"

void roff_usage(struct text *page, const char *usage)
{
	while (*usage) {
		const size_t name = strspn(usage, CAPITALS), word = strspn(usage, SMALL);
		const size_t other = strcspn(usage, CAPITALS SMALL);

		if (name > 0)
			in_font(page, 'I', usage, name);
		else if (word > 0)
			in_font(page, 'B', usage, word);
		else
			append_n(page, usage, other);
		usage += name + word + other;
	}
}

void roff_option(struct text *page, char letter, const char *name, const char *value)
{
	text_append(page, ".TP\n");
	if (letter)
		text_printf(page, "\\fB\\-%c\\fP, ", letter);
	text_append(page, "\\fB\\-\\-");
	roff_append(page, name);
	text_append(page, "\\fP");
	if (value) {
		text_append_char(page, ' ');
		roff_usage(page, value);
	}
	text_append_char(page, '\n');
}
