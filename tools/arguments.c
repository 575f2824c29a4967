/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that may be repeated. */
#include <string.h>

#include "command.h"

const char *arguments_next(const struct arguments *arguments, int option, size_t *at)
{
	while (*at < arguments->given_count) {
		const struct given_option *given = &arguments->given[(*at)++];

		if (given->option == option)
			return given->value;
	}
	return NULL;
}

bool arguments_have_key(const struct arguments *arguments, int option, const char *key, size_t length,
                        size_t at)
{
	const char *value;
	size_t before = 0;

	while ((value = arguments_next(arguments, option, &before)) && before < at)
		if (strncmp(value, key, length) == 0 && value[length] == '=')
			return true;
	return false;
}
