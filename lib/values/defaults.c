/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The defaults: those of the table of keys, and the two that depend on where we run. */
#include <errno.h>
#include <string.h>

#include "base/cgroup.h"
#include "values/settings.h"
#include "values/size.h"

/* `json` comes from the table, where only scalars have defaults, and strings need no escapes. */
static int scalar_from_json(struct arena *arena, enum key_type type, const char *json, struct value *ret)
{
	const char *string;
	int64_t bytes = 0;

	if (type == KEY_BOOL) {
		*ret = value_of_bool(strcmp(json, "true") == 0);
		return 0;
	}
	if (type == KEY_INT) {
		*ret = value_of_int(strtoll(json, NULL, 10));
		return 0;
	}
	string = arena_strndup(arena, json + 1, strlen(json) - 2);
	if (!string)
		return -ENOMEM;
	*ret = value_of_string(string);
	if (type != KEY_BYTES)
		return 0;
	if (size_parse(string, &bytes, NULL) < 0)
		return -EINVAL;
	*ret = value_of_int(bytes);
	return 0;
}

int settings_defaults(struct arena *arena, const struct keyset *keys, const char *exec_root,
                      struct settings *ret)
{
	struct settings settings;
	const char *root;
	int r;

	r = settings_init(arena, keys, &settings);
	for (size_t i = 0; r == 0 && i < keys->count; i++)
		if (keys->keys[i]->default_json)
			r = scalar_from_json(arena, keys->keys[i]->type, keys->keys[i]->default_json,
			                     &settings.items[i].value);
	if (r < 0)
		return r;
	root = arena_strdup(arena, exec_root ? exec_root : "/run/rtreg");
	if (!root)
		return -ENOMEM;
	settings.items[KEY_ID_EXEC_ROOT].value = value_of_string(root);
	settings.items[KEY_ID_DEFAULT_CGROUPNS_MODE].value =
	        value_of_string(cgroup_is_v2() ? "private" : "host");
	*ret = settings;
	return 0;
}
