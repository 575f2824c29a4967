/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values/runtime_limits.h"

#include <errno.h>
#include <string.h>

#include "base/visible.h"

bool runtime_name_is_valid(const char *name, struct text *why)
{
	size_t length = strlen(name);

	if (length == 0) {
		text_append(why, "a runtime name must not be empty");
		return false;
	}
	if (length > RUNTIME_NAME_MAX) {
		text_printf(why, "a runtime name is too long: %zu bytes, at most %u are allowed", length,
		            RUNTIME_NAME_MAX);
		return false;
	}
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			text_append(why, "runtime name '");
			visible_append(why, name);
			text_append(why, "' contains a control character");
			return false;
		}
	return true;
}

static bool arguments_are_valid(const char *name, const struct value *arguments, struct text *why)
{
	size_t total = 0;

	for (uint32_t i = 0; arguments->type == VALUE_ARRAY && i < arguments->count; i++) {
		const struct value *argument = &arguments->elements[i];

		if (argument->type != VALUE_STRING)
			continue;
		total += argument->count;
		if (argument->count > RUNTIME_ARGUMENT_MAX) {
			text_printf(why,
			            "runtime %s: an argument is too long: %u bytes, at most %u are allowed",
			            name, (unsigned)argument->count, RUNTIME_ARGUMENT_MAX);
			return false;
		}
	}
	if (total > RUNTIME_ARGUMENTS_MAX)
		text_printf(why, "runtime %s: too many arguments: %zu bytes, at most %zu are allowed", name,
		            total, RUNTIME_ARGUMENTS_MAX);
	return total <= RUNTIME_ARGUMENTS_MAX;
}

static bool runtime_is_valid(const struct member *runtime, struct text *why)
{
	const struct value *arguments = value_member_nocase(&runtime->value, "runtimeArgs");

	return runtime_name_is_valid(runtime->key, why) &&
	       (!arguments || arguments_are_valid(runtime->key, arguments, why));
}

int runtime_limits_check(const struct value *runtimes, struct problems *problems)
{
	int r = 0;

	if (runtimes->type != VALUE_OBJECT)
		return 0;
	if (runtimes->count > RUNTIMES_MAX) {
		problems_error(problems, -EINVAL, "runtimes", "too many runtimes: %u, at most %u are allowed",
		               (unsigned)runtimes->count, RUNTIMES_MAX);
		r = -EINVAL;
	}
	for (uint32_t i = 0; i < runtimes->count; i++) {
		_cleanup_text_ struct text why = {0};

		if (runtime_is_valid(&runtimes->members[i], &why))
			continue;
		if (why.failed)
			return -ENOMEM;
		problems_error(problems, -EINVAL, "runtimes", "%s", text_string(&why));
		r = -EINVAL;
	}
	return r;
}
