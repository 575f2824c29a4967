/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pass over UTF-8 text that proves it is strict JSON (RFC 8259) within the limits of CONTRACT C12, or
 * says where it is not and why (C3). What it has passed, values/parse.c builds without looking again.
 */
#ifndef RTREG_BYTES_SCAN_H
#define RTREG_BYTES_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "rtreg/rtreg.h"

#define SCAN_MAX_DEPTH 32 /* objects and arrays within each other; the top-level one is 1 */

struct scan {
	bool blank; /* nothing but white space */
};

/*
 * Returns 0, or -EINVAL with
 *   "invalid JSON: line L, column C: <what> (<hint>)"   and where = "line L, column C"
 * L and C from 1, in bytes: at a trailing comma, at a comment's first byte, else at the first unexpected
 * byte, or one past the end of the text where it stops too early. At most one character of the text is
 * quoted, since it may hold secrets.
 */
int scan_json(const char *text, size_t length, struct scan *ret, struct rtreg_error *error);

#endif
