/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A growing text buffer. Appending never fails at once: without memory the buffer becomes `failed`, further
 * appends do nothing, and text_steal() returns NULL, so that a writer checks once at its end.
 */
#ifndef RTREG_BASE_TEXT_H
#define RTREG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Zeroed is empty. `data` is NUL-terminated once anything was appended. */
struct text {
	char *data;
	size_t length, capacity;
	bool failed;
};

void text_fini(struct text *text);
void text_append(struct text *text, const char *string);
void text_append_n(struct text *text, const char *bytes, size_t length);
void text_append_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The NUL-terminated text, malloc'ed, and an empty buffer left behind; NULL if it had failed. */
char *text_steal(struct text *text);
/* The text so far, "" if there is none. */
const char *text_string(const struct text *text);

static inline void text_finip(struct text *text)
{
	text_fini(text);
}
#define _cleanup_text_ _cleanup_(text_finip)

#endif
