/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of rtreg.json(5), by name. */
#include <string.h>

#include "manual_holes.h"
#include "manual_roff.h"
#include "values/keys.h"

static const char *const types[] = {
        [KEY_STRING] = "string",
        [KEY_BOOL] = "boolean",
        [KEY_INT] = "integer",
        [KEY_BYTES] = "size",
        [KEY_IP] = "IP address",
        [KEY_STRINGS] = "array of strings",
        [KEY_IPS] = "array of IP addresses",
        [KEY_POOLS] = "array of objects with base, size",
        [KEY_STRING_MAP] = "object of strings",
        [KEY_BOOL_MAP] = "object of booleans",
        [KEY_STRING_MAPS] = "object of objects of strings",
        [KEY_ULIMITS] = "object of objects with Name, Hard, Soft",
        [KEY_NRI] = "object",
        [KEY_OBJECT] = "object",
        [KEY_RUNTIMES] = "object of runtimes",
};

static const char *const reloads[] = {
        [RULE_RESTART] = "needs a restart",
        [RULE_KEEP] = "replaced; kept if absent",
        [RULE_KEEP_NONEMPTY] = "replaced if not empty; kept if absent",
        [RULE_RESET] = "replaced; reset if absent",
};

static const struct {
	unsigned trait;
	const char *text;
} traits[] = {
        {KEY_ZERO_IS_DEFAULT, "0 is the default."},
        {KEY_ZERO_IS_DEFAULT_AT_START, "At start, 0 is the default."},
        {KEY_HIDES_USER_INFO, "A user and password in it are never shown."},
        {KEY_HIDES_BY_NAME, "Members whose names speak of a secret are never shown."},
};

/* Defaults that the table does not have, because the machine decides. */
static const struct {
	enum key_id key;
	const char *text;
} told_defaults[] = {
        {KEY_ID_DEFAULT_CGROUPNS_MODE, "private on cgroup v2, else host"},
        {KEY_ID_EXEC_ROOT, "/run/rtreg"},
};

/* Nothing if it is the type's zero value. */
static void append_default(struct text *page, const struct key_info *key)
{
	const char *json = key->default_json;

	for (size_t i = 0; i < ARRAY_SIZE(told_defaults); i++)
		if (key == &builtin_keys[told_defaults[i].key])
			json = told_defaults[i].text;
	if (!json)
		return;
	text_append(page, " Default: ");
	roff_value(page, json);
	text_append_char(page, '.');
}

static void append_flag(struct text *page, const struct key_info *key)
{
	if (!key->flag) {
		text_append(page, "No option.\n");
		return;
	}
	text_append(page, "Option: \\fB\\-\\-");
	roff_append(page, key->flag);
	text_append(page, "\\fP");
	if (key->argument && key->type != KEY_BOOL) {
		text_append_char(page, ' ');
		roff_usage(page, key->argument);
	}
	text_append(page, ".\n");
}

static void append_key(struct text *page, const struct key_info *key)
{
	text_append(page, ".TP\n");
	roff_bold(page, key->name);
	text_append_char(page, '\n');
	roff_sentence(page, key->help);
	text_append(page, ".br\nType: ");
	roff_append(page, types[key->type]);
	text_append_char(page, '.');
	append_default(page, key);
	text_append_char(page, '\n');
	append_flag(page, key);
	text_append(page, ".br\nReload: ");
	roff_append(page, reloads[key->rule]);
	text_append(page, ".\n");
	for (size_t i = 0; i < ARRAY_SIZE(traits); i++)
		if (key->traits & traits[i].trait)
			text_printf(page, "%s\n", traits[i].text);
}

static int compare_names(const void *a, const void *b)
{
	const struct key_info *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

void hole_keys(struct text *page)
{
	_cleanup_free_ const struct key_info **keys = calloc(builtin_key_count, sizeof(*keys));

	if (!keys) {
		page->failed = true;
		return;
	}
	for (size_t i = 0; i < builtin_key_count; i++)
		keys[i] = &builtin_keys[i];
	qsort(keys, builtin_key_count, sizeof(*keys), compare_names);
	for (size_t i = 0; i < builtin_key_count; i++)
		append_key(page, keys[i]);
}

void hole_compatible(struct text *page)
{
	for (size_t i = 0; i < compat_key_count; i++) {
		text_append(page, ".TP\n");
		roff_bold(page, compat_keys[i].name);
		text_append_char(page, '\n');
		if (compat_keys[i].instead) {
			text_append(page, "Instead: ");
			roff_bold(page, compat_keys[i].instead);
			text_append(page, ".\n");
		} else {
			text_append(page, "What other programs write.\n");
		}
	}
}
