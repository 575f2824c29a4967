/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry's own limits for runtimes (CONTRACT C12), for settings_read.c and settings_flags.c. */
#ifndef RTREG_VALUES_RUNTIME_LIMITS_H
#define RTREG_VALUES_RUNTIME_LIMITS_H

#include "base/problems.h"
#include "base/text.h"
#include "values/value.h"

#define RUNTIMES_MAX          100000u
#define RUNTIME_NAME_MAX      255u
#define RUNTIME_ARGUMENTS_MAX ((size_t)1 << 20)
#define RUNTIME_ARGUMENT_MAX  131071u

/* Whether a runtime may have this name; if not, `why` (empty before) tells what is wrong with it. */
bool runtime_name_is_valid(const char *name, struct text *why);

/*
 * Checks `runtimes` as it stands in a file, before its types are; adds errors to `problems` and returns
 * -EINVAL if it is past a limit. -ENOMEM.
 */
int runtime_limits_check(const struct value *runtimes, struct problems *problems);

#endif
