/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From command-line flags to settings: one flag for one key, by the table of keys. */
#include <errno.h>
#include <string.h>

#include "base/visible.h"
#include "values/flag_value.h"
#include "values/mask.h"
#include "values/settings.h"

static void unknown_flag(const struct keyset *keys, const char *name, struct problems *problems)
{
	const char *nearest = keyset_suggest_flag(keys, name);
	_cleanup_text_ struct text shown = {0};

	mask_name(&shown, name);
	problems->failed |= shown.failed;
	if (nearest)
		problems_error(problems, -EINVAL, NULL, "flag --%s: unknown flag; did you mean --%s?",
		               text_string(&shown), nearest);
	else
		problems_error(problems, -EINVAL, NULL, "flag --%s: unknown flag", text_string(&shown));
}

/* The value as it was given, but for what may be a secret in it. */
static void bad_value(const struct key_info *key, const char *value, const char *why,
                      struct problems *problems)
{
	_cleanup_text_ struct text masked = {0}, shown = {0};

	if ((key->traits & KEY_HIDES_BY_NAME) && mask_hides(value))
		text_append(&masked, MASKED);
	else if (key->traits & (KEY_HIDES_BY_NAME | KEY_HIDES_USER_INFO))
		mask_url(&masked, value);
	else
		text_append(&masked, value);
	visible_append(&shown, text_string(&masked));
	problems->failed |= masked.failed || shown.failed;
	problems_error(problems, -EINVAL, key->name, "flag --%s: invalid value \"%s\": %s", key->flag,
	               text_string(&shown), why);
}

static int read_flag(struct arena *arena, const struct key_info *key, const char *value,
                     struct setting *setting, struct problems *problems)
{
	_cleanup_text_ struct text why = {0};
	int r;

	if (!value && key->type != KEY_BOOL) {
		problems_error(problems, -EINVAL, key->name, "flag --%s: a value is wanted", key->flag);
		return 0;
	}
	if (!value)
		value = "true";
	r = flag_value_add(arena, key->type, value, &setting->value, &why);
	if (r == 0) {
		setting->set = true;
		setting->origin = ORIGIN_FLAG;
		return 0;
	}
	if (r == -EINVAL)
		bad_value(key, value, text_string(&why), problems);
	return r == -EINVAL ? 0 : r;
}

static void refuse_double_runtimes(const struct key_info *key, struct setting *runtimes,
                                   struct problems *problems)
{
	const struct value *value = &runtimes->value;
	bool doubles = false;

	for (uint32_t i = 1; i < value->count; i++)
		if (strcmp(value->members[i - 1].key, value->members[i].key) == 0) {
			problems_error(problems, -EINVAL, key->name, "flag --%s: runtime %s is given twice",
			               key->flag, value->members[i].key);
			doubles = true;
		}
	if (doubles)
		*runtimes = (struct setting){.value = settings_zero(key->type)};
}

int settings_from_flags(struct arena *arena, const struct keyset *keys, const struct rtreg_flag *flags,
                        size_t count, struct settings *ret, struct problems *problems)
{
	struct settings settings;
	int r;

	r = settings_init(arena, keys, &settings);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *name = flags[i].name ? flags[i].name : "";
		int index = keyset_find_flag(keys, name);

		if (index < 0)
			unknown_flag(keys, name, problems);
		else
			r = read_flag(arena, keys->keys[index], flags[i].value, &settings.items[index],
			              problems);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < keys->count; i++)
		value_sort(&settings.items[i].value);
	refuse_double_runtimes(keys->keys[KEY_ID_RUNTIMES], &settings.items[KEY_ID_RUNTIMES], problems);
	*ret = settings;
	return 0;
}
