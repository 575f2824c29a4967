/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a command-line flag's text to a value of its key's type, for settings_flags.c. */
#ifndef RTREG_VALUES_FLAG_VALUE_H
#define RTREG_VALUES_FLAG_VALUE_H

#include "base/text.h"
#include "values/keys.h"
#include "values/value.h"

/*
 * Adds what `string` says to `value`, which holds what earlier flags of the key said: a list grows, a map
 * gets or replaces a member, anything else is replaced. Returns -EINVAL with the reason in `why` (empty
 * before), or -ENOMEM; `value` is then as it was.
 */
int flag_value_add(struct arena *arena, enum key_type type, const char *string, struct value *value,
                   struct text *why);

#endif
