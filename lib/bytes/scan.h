/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pass over UTF-8 text that proves it is strict JSON (RFC 8259) within the limits of CONTRACT C12, or
 * says where it is not and why (C3). It settles what json-c would let pass, or would get wrong: raw control
 * characters, NaN, `1.`, nesting, NUL, integers past 64 bits.
 */
#ifndef RTREG_BYTES_SCAN_H
#define RTREG_BYTES_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "rtreg/rtreg.h"

#define SCAN_MAX_DEPTH 32 /* the top-level value is 1 */

struct scan {
	bool blank;          /* nothing but white space */
	size_t wide_numbers; /* integers that do not fit 64 bits signed */
};

/*
 * Returns 0, or -EINVAL with
 *   "invalid JSON: <what> (<hint>)"   and where = "line L, column C"    L and C from 1, in bytes
 * The message holds "line L, column C" too, since it is often shown alone.
 */
int scan_json(const char *text, size_t length, struct scan *ret, struct rtreg_error *error);

#endif
