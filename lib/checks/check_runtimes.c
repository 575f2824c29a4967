/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runtime entries and the default runtime (C40, C41). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "checks/list.h"

#define RESERVED_NAME "runc"

bool runtime_name_is_stock(const char *name)
{
	/* The other stock runtime, io.containerd.runc.v2, is a shim name. */
	return strcmp(name, RESERVED_NAME) == 0 || rtreg_name_is_shim(name, strlen(name));
}

/* In constant space and one pass, so that 100,000 entries cost nothing. */
static bool is_configured(const struct value *runtimes, const char *name)
{
	return value_member(runtimes, name) != NULL;
}

/* With a type error in one of the two, what is left cannot be held against the other. */
static bool is_invalid(const struct settings *settings)
{
	return settings->items[KEY_ID_RUNTIMES].invalid || settings->items[KEY_ID_DEFAULT_RUNTIME].invalid;
}

static const char *what_is_wrong(const struct value *entry)
{
	bool path = value_member(entry, "path"), type = value_member(entry, "runtimeType");

	if (!path && !type)
		return "either a runtimeType or a path must be configured";
	if (path && type)
		return "cannot configure both path and runtimeType for the same runtime";
	if (path && value_member(entry, "options"))
		return "options cannot be used with a path runtime";
	if (type && value_member(entry, "runtimeArgs"))
		return "args cannot be used with a runtimeType runtime";
	return NULL;
}

static void check_entry(const struct member *runtime, struct problems *problems)
{
	const char *wrong = what_is_wrong(&runtime->value);
	_cleanup_free_ char *where = NULL;

	if (!wrong)
		return;
	if (asprintf(&where, "runtimes.%s", runtime->key) < 0) {
		where = NULL;
		problems->failed = true;
		return;
	}
	problems_error(problems, -EINVAL, where, "runtime %s: %s", runtime->key, wrong);
}

void check_runtimes(const struct settings *settings, struct problems *problems)
{
	const struct value *runtimes = settings_get(settings, KEY_ID_RUNTIMES);
	const char *wanted = settings_string(settings, KEY_ID_DEFAULT_RUNTIME);

	if (is_configured(runtimes, RESERVED_NAME))
		problems_error(problems, -EINVAL, "runtimes." RESERVED_NAME,
		               "runtime name '" RESERVED_NAME "' is reserved");
	if (*wanted && !is_invalid(settings) && !runtime_name_is_stock(wanted) &&
	    !is_configured(runtimes, wanted))
		problems_error(problems, -EINVAL, "default-runtime",
		               "specified default runtime '%s' does not exist", wanted);
	for (uint32_t i = 0; i < runtimes->count; i++)
		if (strcmp(runtimes->members[i].key, RESERVED_NAME) != 0)
			check_entry(&runtimes->members[i], problems);
}
