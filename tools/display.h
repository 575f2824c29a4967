/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text of others on a terminal: names and messages come from configurations and may hold anything. What is
 * shown holds no control characters, nothing that reorders or hides text, and no bytes that are not UTF-8;
 * they appear as `\n`, `\x1b`, `\u202e`. Showing twice changes nothing more. Lengths are in columns.
 */
#ifndef RTREG_TOOLS_DISPLAY_H
#define RTREG_TOOLS_DISPLAY_H

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* To be called once, before anything else here: widths of characters come from the C library's locale. */
void display_init(void);
/* Appends `string` made safe. */
void display_append(struct text *text, const char *string);
/* The same, straight to a stream. */
void display_print(FILE *stream, const char *string);
/* A line of its own: `prefix` as it is, and the formatted text made safe. */
void display_message(FILE *stream, const char *prefix, const char *format, va_list args)
        __attribute__((format(printf, 3, 0)));
/* The columns that `string` takes once it is made safe. */
size_t display_width(const char *string);
/* As display_append(), with at most `width` columns: what is too long ends in `…`. */
void display_cut(struct text *text, const char *string, size_t width);
/* As display_cut() for a line that is safe already, and may hold codes of styles (terminal.h). */
void display_cut_styled(struct text *text, const char *line, size_t width);
/*
 * Appends one argument quoted for a shell, so that it can be told from its neighbours: `a`, `'a b'`,
 * `$'a\n'`.
 */
void display_quote(struct text *text, const char *argument);
/*
 * The byte at which two strings that begin alike come to differ, moved back to the beginning of a character.
 */
size_t display_common(const char *a, const char *b);

#endif
