/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From text to a tree: bytes/scan proves that the text is strict JSON within the limits, then the values are built
 * in the arena (escapes, duplicate keys: the last one counts, in the place of the first).
 */
#ifndef RTREG_VALUES_PARSE_H
#define RTREG_VALUES_PARSE_H

#include "rtreg/rtreg.h"
#include "values/value.h"

/*
 * `length` bytes of UTF-8 at `text`. White space alone, or nothing, gives a VALUE_NULL.
 * Returns 0; -EINVAL with "invalid JSON: …" and the position in error->where; -ENOMEM.
 */
int parse_json(struct arena *arena, const char *text, size_t length, struct value *ret,
               struct rtreg_error *error);

#endif
