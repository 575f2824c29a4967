/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_BASE_UTF8_H
#define RTREG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The length of the UTF-8 sequence that begins at `bytes`, 1 to 4, or 0 if there is no valid one within
 * `length` bytes (overlong forms, surrogates and values past U+10FFFF are not valid).
 */
size_t utf8_sequence(const char *bytes, size_t length);

/* Whether all of a string is. */
bool utf8_is_valid(const char *string);

/* How many of the `length` bytes are within `limit` without cutting a sequence. */
size_t utf8_prefix(const char *bytes, size_t length, size_t limit);

#define ELLIPSIS "\xe2\x80\xa6" /* where something was cut */

#endif
