/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The likely cause of a JSON syntax error, in words: the second half of CONTRACT C3. */
#ifndef RTREG_BYTES_HINT_H
#define RTREG_BYTES_HINT_H

#include <stddef.h>

/*
 * Looks around the offending byte at `offset` of `text` and names the cause: a comment, a trailing comma, a
 * smart quote, a non-breaking space, a second object, a template leftover, a missing outer brace, single
 * quotes, a key without quotes, a byte order mark in the middle, a Python or JavaScript literal. A constant
 * string, or NULL.
 */
const char *hint_find(const char *text, size_t length, size_t offset);

#endif
