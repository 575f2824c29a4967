/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From text to a tree: bytes/scan proves that the text is strict JSON within the limits, json-c builds the
 * values (escapes, duplicate keys), and they are copied into the arena. The only file that includes json-c.
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
