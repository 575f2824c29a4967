/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* One character of a text, as it is shown. */
struct glyph {
	size_t size;  /* bytes that it takes in the text */
	size_t width; /* columns that it takes when shown */
	bool escaped;
	char shown[12]; /* what to print; only if escaped */
};

void display_init(void)
{
	/* the texts are UTF-8 whatever the user's locale is */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
}

static uint32_t decode(const char *bytes, size_t size)
{
	const unsigned char *b = (const unsigned char *)bytes;
	uint32_t character = size == 1 ? b[0] : b[0] & (0x7fu >> size);

	for (size_t i = 1; i < size; i++)
		character = character << 6 | (b[i] & 0x3fu);
	return character;
}

/* Characters without a shape of their own, with which one name can look like another. */
static bool is_invisible(uint32_t c)
{
	static const uint32_t ranges[][2] = {
	        {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x180e, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
	        {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

static void escape(struct glyph *glyph, uint32_t c)
{
	static const char shorts[] = "\nn\rr\tt";
	const char *at = c > 0 && c < 0x20 ? strchr(shorts, (int)c) : NULL;

	if (at)
		snprintf(glyph->shown, sizeof(glyph->shown), "\\%c", at[1]);
	else if (c < 0x80)
		snprintf(glyph->shown, sizeof(glyph->shown), "\\x%02x", (unsigned)c);
	else if (c < 0x10000)
		snprintf(glyph->shown, sizeof(glyph->shown), "\\u%04x", (unsigned)c);
	else
		snprintf(glyph->shown, sizeof(glyph->shown), "\\U%08x", (unsigned)c);
	glyph->escaped = true;
	glyph->width = strlen(glyph->shown);
}

/* Takes the first character of `string`, which is not empty. */
static struct glyph next_glyph(const char *string)
{
	struct glyph glyph = {.size = utf8_sequence(string, strnlen(string, 4))};
	uint32_t c;
	int width;

	if (glyph.size == 0) {
		glyph.size = 1;
		glyph.escaped = true;
		glyph.width = 4;
		snprintf(glyph.shown, sizeof(glyph.shown), "\\x%02x", (unsigned char)*string);
		return glyph;
	}
	c = decode(string, glyph.size);
	width = c < 0x80 ? (c >= 0x20 && c != 0x7f ? 1 : -1) : wcwidth((wchar_t)c);
	if (width < 0 || is_invisible(c))
		escape(&glyph, c);
	else
		glyph.width = (size_t)width;
	return glyph;
}

static void append_glyph(struct text *text, const struct glyph *glyph, const char *string)
{
	if (glyph->escaped)
		text_append(text, glyph->shown);
	else
		text_append_n(text, string, glyph->size);
}

void display_append(struct text *text, const char *string)
{
	while (*string) {
		struct glyph glyph = next_glyph(string);

		append_glyph(text, &glyph, string);
		string += glyph.size;
	}
}

void display_print(FILE *stream, const char *string)
{
	while (*string) {
		struct glyph glyph = next_glyph(string);

		if (glyph.escaped)
			fputs(glyph.shown, stream);
		else
			fwrite(string, 1, glyph.size, stream);
		string += glyph.size;
	}
}

size_t display_width(const char *string)
{
	size_t width = 0;

	while (*string) {
		struct glyph glyph = next_glyph(string);

		width += glyph.width;
		string += glyph.size;
	}
	return width;
}

void display_cut(struct text *text, const char *string, size_t width)
{
	size_t used = 0;

	while (*string) {
		struct glyph glyph = next_glyph(string);

		/* the last column is for the ellipsis, unless the rest fits */
		if (used + glyph.width + 1 > width && used + display_width(string) > width) {
			text_append(text, ELLIPSIS);
			return;
		}
		append_glyph(text, &glyph, string);
		used += glyph.width;
		string += glyph.size;
	}
}

/* The bytes of a style's code that `line` begins with: ESC, [, and all up to an m. */
static size_t style_code(const char *line)
{
	return line[0] == '\033' && line[1] == '[' ? strcspn(line, "m") + 1 : 0;
}

static size_t styled_width(const char *line)
{
	size_t width = 0;

	while (*line) {
		struct glyph glyph = next_glyph(line);
		size_t code = style_code(line);

		width += code ? 0 : glyph.width;
		line += code ? code : glyph.size;
	}
	return width;
}

void display_cut_styled(struct text *text, const char *line, size_t width)
{
	bool cut = false;
	size_t used = 0;

	while (*line) {
		struct glyph glyph = next_glyph(line);
		size_t code = style_code(line);

		if (code) {
			/* behind the cut too: what was begun has its end there */
			text_append_n(text, line, code);
			line += code;
			continue;
		}
		if (!cut && used + glyph.width + 1 > width && used + styled_width(line) > width) {
			text_append(text, ELLIPSIS);
			cut = true;
		}
		if (!cut)
			append_glyph(text, &glyph, line);
		used += glyph.width;
		line += glyph.size;
	}
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_@%+=:,./-", c));
}

static bool needs_escapes(const char *string)
{
	while (*string) {
		struct glyph glyph = next_glyph(string);

		if (glyph.escaped)
			return true;
		string += glyph.size;
	}
	return false;
}

/* The form of bash and POSIX.1-2024, which alone can name characters. */
static void quote_with_escapes(struct text *text, const char *argument)
{
	text_append(text, "$'");
	while (*argument) {
		struct glyph glyph = next_glyph(argument);

		if (*argument == '\'' || *argument == '\\')
			text_append_char(text, '\\');
		append_glyph(text, &glyph, argument);
		argument += glyph.size;
	}
	text_append_char(text, '\'');
}

void display_quote(struct text *text, const char *argument)
{
	const char *c = argument;

	while (is_plain(*c))
		c++;
	if (!*c && c > argument) {
		text_append(text, argument);
		return;
	}
	if (needs_escapes(argument)) {
		quote_with_escapes(text, argument);
		return;
	}
	text_append_char(text, '\'');
	for (c = argument; *c; c++)
		if (*c == '\'')
			text_append(text, "'\\''");
		else
			text_append_char(text, *c);
	text_append_char(text, '\'');
}

size_t display_common(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	while (length > 0 && ((unsigned char)a[length] & 0xc0) == 0x80)
		length--;
	return length;
}

void display_message(FILE *stream, const char *prefix, const char *format, va_list args)
{
	char *message = NULL;

	fputs(prefix, stream);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	display_print(stream, message ? message : "out of memory");
	fputc('\n', stream);
	free(message);
}
