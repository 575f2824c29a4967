/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_BASE_UTF8_H
#define RTREG_BASE_UTF8_H

#include <stddef.h>

/*
 * The length of the UTF-8 sequence that begins at `bytes`, 1 to 4, or 0 if there is no valid one within
 * `length` bytes (overlong forms, surrogates and values past U+10FFFF are not valid).
 */
size_t utf8_sequence(const char *bytes, size_t length);

#endif
