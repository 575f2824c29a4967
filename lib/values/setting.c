/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single settings: zero values, emptiness, access by name of a built-in key. */
#include <errno.h>
#include <string.h>

#include "values/settings.h"

struct value settings_zero(enum key_type type)
{
	switch (type) {
	case KEY_STRING:
	case KEY_IP:
		return value_of_string("");
	case KEY_BOOL:
		return value_of_bool(false);
	case KEY_INT:
	case KEY_BYTES:
		return value_of_int(0);
	case KEY_STRINGS:
	case KEY_IPS:
	case KEY_POOLS:
		return (struct value){.type = VALUE_ARRAY};
	case KEY_STRING_MAP:
	case KEY_BOOL_MAP:
	case KEY_STRING_MAPS:
	case KEY_ULIMITS:
	case KEY_NRI:
	case KEY_OBJECT:
	case KEY_RUNTIMES:
		return (struct value){.type = VALUE_OBJECT};
	}
	return (struct value){.type = VALUE_NULL};
}

bool settings_is_empty(const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return !value->boolean;
	case VALUE_INT:
		return value->integer == 0;
	case VALUE_NUMBER:
		return false;
	case VALUE_STRING:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		return value->count == 0;
	}
	return true;
}

int settings_init(struct arena *arena, const struct keyset *keys, struct settings *ret)
{
	struct setting *items = arena_alloc_array(arena, keys->count, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < keys->count; i++)
		items[i].value = settings_zero(keys->keys[i]->type);
	*ret = (struct settings){.keys = keys, .items = items};
	return 0;
}

const char *settings_string(const struct settings *settings, enum key_id id)
{
	const char *string = value_string(settings_get(settings, id));

	return string ? string : "";
}

enum origin settings_member_origin(const struct setting *setting, uint32_t index)
{
	return setting->origins ? setting->origins[index] : setting->origin;
}

const char *settings_member_fragment(const struct setting *setting, uint32_t index)
{
	return setting->fragments ? setting->fragments[index] : setting->fragment;
}

static bool is_fragment(const struct setting *setting, uint32_t index, const char *name)
{
	const char *fragment = settings_member_fragment(setting, index);

	return fragment && strcmp(fragment, name) == 0;
}

void settings_note_owner(struct setting *setting)
{
	enum origin origin = ORIGIN_FLAG;
	const char *fragment;

	if (setting->value.count == 0)
		return;
	fragment = settings_member_fragment(setting, 0);
	for (uint32_t i = 0; i < setting->value.count; i++) {
		if (settings_member_origin(setting, i) == ORIGIN_FILE)
			origin = ORIGIN_FILE;
		if (fragment && !is_fragment(setting, i, fragment))
			fragment = NULL;
	}
	setting->origin = origin;
	setting->fragment = fragment;
}
