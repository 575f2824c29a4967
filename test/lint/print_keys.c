/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints the table of keys for keys.py, a line each, with tabs: `key`, name, type as the manual calls it,
 * rule, default as JSON or nothing, flag or nothing; `compat` and a name that is accepted without effect.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "values/keys.h"

static const char *const types[] = {
        [KEY_STRING] = "string",
        [KEY_BOOL] = "boolean",
        [KEY_INT] = "integer",
        [KEY_BYTES] = "size",
        [KEY_IP] = "IP address",
        [KEY_STRINGS] = "array of strings",
        [KEY_IPS] = "array of IP addresses",
        [KEY_POOLS] = "array of `base`, `size`",
        [KEY_STRING_MAP] = "object of strings",
        [KEY_BOOL_MAP] = "object of booleans",
        [KEY_STRING_MAPS] = "object of objects of strings",
        [KEY_ULIMITS] = "object of `Name`, `Hard`, `Soft`",
        [KEY_NRI] = "object",
        [KEY_OBJECT] = "object",
        [KEY_RUNTIMES] = "object of runtimes",
};

static const char *const rules[] = {
        [RULE_RESTART] = "restart",
        [RULE_KEEP] = "keep",
        [RULE_KEEP_NONEMPTY] = "keep-nonempty",
        [RULE_RESET] = "reset",
};

int main(void)
{
	for (size_t i = 0; i < builtin_key_count; i++) {
		const struct key_info *key = &builtin_keys[i];

		printf("key\t%s\t%s\t%s\t%s\t%s\n", key->name, types[key->type], rules[key->rule],
		       key->default_json ? key->default_json : "", key->flag ? key->flag : "");
	}
	for (size_t i = 0; i < compat_key_count; i++)
		printf("compat\t%s\n", compat_keys[i].name);
	return fflush(stdout) == 0 ? 0 : 1;
}
