/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a configuration's tree to settings, in the order of CONTRACT section 4: the limits, which stop; then
 * unknown keys; then types. Each looks at the whole tree.
 */
#include <errno.h>
#include <string.h>

#include "base/suggest.h"
#include "values/mask.h"
#include "values/read_value.h"
#include "values/runtime_limits.h"
#include "values/settings.h"

/* For more unknown keys than this no near miss is looked for. */
#define MAX_SUGGESTIONS 20

struct unknown_key {
	char *name;
	const char *nearest; /* or NULL */
};

struct unknown_keys {
	struct unknown_key *items;
	size_t count, capacity;
	bool failed;
};

static void unknown_keys_fini(struct unknown_keys *unknown)
{
	for (size_t i = 0; i < unknown->count; i++)
		free(unknown->items[i].name);
	free(unknown->items);
}

/* `prefix` and `name` together are how the key is shown. */
static void unknown_keys_add(struct unknown_keys *unknown, const char *prefix, const char *name,
                             const char *nearest)
{
	size_t capacity = unknown->capacity ? 2 * unknown->capacity : 8;
	_cleanup_text_ struct text shown = {0};
	struct unknown_key *items = unknown->items;

	if (unknown->count == unknown->capacity) {
		items = reallocarray(items, capacity, sizeof(*items));
		if (!items) {
			unknown->failed = true;
			return;
		}
		unknown->items = items;
		unknown->capacity = capacity;
	}
	text_append(&shown, prefix);
	mask_name(&shown, name);
	items[unknown->count].nearest = nearest;
	items[unknown->count].name = text_steal(&shown);
	if (items[unknown->count].name)
		unknown->count++;
	else
		unknown->failed = true;
}

static int compare_unknown(const void *a, const void *b)
{
	return strcmp(((const struct unknown_key *)a)->name, ((const struct unknown_key *)b)->name);
}

static void unknown_keys_report(struct unknown_keys *unknown, struct problems *problems)
{
	_cleanup_text_ struct text names = {0}, hints = {0};

	if (unknown->count == 0)
		return;
	qsort(unknown->items, unknown->count, sizeof(unknown->items[0]), compare_unknown);
	for (size_t i = 0; i < unknown->count; i++) {
		const struct unknown_key *item = &unknown->items[i];

		if (i > 0 && strcmp(item->name, unknown->items[i - 1].name) == 0)
			continue;
		text_printf(&names, "%s%s", i > 0 ? ", " : "", item->name);
		if (item->nearest)
			text_printf(&hints, "%s%s instead of %s", hints.length > 0 ? ", " : "; did you mean ",
			            item->nearest, item->name);
	}
	if (hints.length > 0)
		text_append_char(&hints, '?');
	unknown->failed |= names.failed || hints.failed;
	problems_error(problems, -EINVAL, unknown->items[0].name,
	               "the following directives don't match any configuration option: %s%s",
	               text_string(&names), text_string(&hints));
}

/* A member of proxies under its whole name, or -1. */
static int find_proxy(const struct keyset *keys, const char *member)
{
	static const enum key_id ids[] = {KEY_ID_HTTP_PROXY, KEY_ID_HTTPS_PROXY, KEY_ID_NO_PROXY};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (strcmp(keys->keys[ids[i]]->name + strlen("proxies."), member) == 0)
			return (int)ids[i];
	return -1;
}

static bool is_dotted_proxy(const char *name)
{
	return strncmp(name, "proxies.", strlen("proxies.")) == 0;
}

/* As keyset_find(), but a proxy is found in `proxies` alone. */
static int find_top(const struct keyset *keys, const char *name)
{
	return is_dotted_proxy(name) ? -1 : keyset_find(keys, name);
}

static const char *suggest_top(const struct keyset *keys, const char *name)
{
	return is_dotted_proxy(name) ? "proxies" : keyset_suggest(keys, name);
}

static void check_proxies(const struct keyset *keys, const struct value *proxies,
                          struct unknown_keys *unknown)
{
	for (uint32_t i = 0; proxies->type == VALUE_OBJECT && i < proxies->count; i++) {
		const char *name = proxies->members[i].key;
		struct suggestion near = {.name = name};

		if (find_proxy(keys, name) >= 0)
			continue;
		if (unknown->count < MAX_SUGGESTIONS) {
			suggest_offer(&near, "http-proxy");
			suggest_offer(&near, "https-proxy");
			suggest_offer(&near, "no-proxy");
		}
		unknown_keys_add(unknown, "", name, near.nearest);
	}
}

static void check_nri(const struct value *nri, struct unknown_keys *unknown)
{
	for (uint32_t i = 0; nri->type == VALUE_OBJECT && i < nri->count; i++)
		if (!read_member_is_known(KEY_NRI, nri->members[i].key))
			unknown_keys_add(unknown, "nri-opts.", nri->members[i].key, NULL);
}

static void report_compat(const struct compat_key *compat, struct problems *problems)
{
	if (compat->instead)
		problems_ignore(problems, compat->name, "has no effect in a configuration file; use %s",
		                compat->instead);
	else
		problems_ignore(problems, compat->name, "has no effect in a configuration file");
}

static void check_key(const struct keyset *keys, const struct member *member, struct unknown_keys *unknown,
                      struct problems *problems)
{
	int index = find_top(keys, member->key);
	const struct compat_key *compat = index < 0 ? compat_find(member->key) : NULL;

	if (strcmp(member->key, "proxies") == 0)
		check_proxies(keys, &member->value, unknown);
	else if (index == KEY_ID_NRI_OPTS)
		check_nri(&member->value, unknown);
	else if (compat)
		report_compat(compat, problems);
	else if (index < 0)
		unknown_keys_add(unknown, "", member->key,
		                 unknown->count < MAX_SUGGESTIONS ? suggest_top(keys, member->key) : NULL);
}

static int check_keys(const struct keyset *keys, const struct value *tree, struct problems *problems)
{
	_cleanup_(unknown_keys_fini) struct unknown_keys unknown = {0};

	for (uint32_t i = 0; i < tree->count; i++)
		check_key(keys, &tree->members[i], &unknown, problems);
	unknown_keys_report(&unknown, problems);
	return unknown.failed ? -ENOMEM : 0;
}

static void read_key(struct reader *reader, const struct key_info *key, struct value *value,
                     struct setting *ret)
{
	const struct place place = {.name = key->name};

	reader->bad = false;
	read_value(reader, key->type, &place, value);
	if (!reader->bad)
		*ret = (struct setting){.set = true, .origin = ORIGIN_FILE, .value = *value};
	else
		ret->invalid = true;
}

static void read_proxies(struct reader *reader, struct value *proxies, struct settings *settings)
{
	const struct place place = {.name = "proxies"};

	if (proxies->type == VALUE_NULL)
		return;
	if (proxies->type != VALUE_OBJECT) {
		read_type_error(reader, &place, proxies, "an object");
		return;
	}
	read_sort_members(proxies);
	for (uint32_t i = 0; i < proxies->count; i++) {
		int index = find_proxy(settings->keys, proxies->members[i].key);

		if (index >= 0)
			read_key(reader, settings->keys->keys[index], &proxies->members[i].value,
			         &settings->items[index]);
	}
}

static int read_keys(struct value *tree, struct settings *settings, struct problems *problems)
{
	struct reader reader = {.problems = problems};

	for (uint32_t i = 0; i < tree->count; i++) {
		struct member *member = &tree->members[i];
		int index = find_top(settings->keys, member->key);

		if (strcmp(member->key, "proxies") == 0)
			read_proxies(&reader, &member->value, settings);
		else if (index >= 0)
			read_key(&reader, settings->keys->keys[index], &member->value,
			         &settings->items[index]);
	}
	return reader.failed ? -ENOMEM : 0;
}

/* -EINVAL: what stops was found, and is in `problems`. */
static int check_limits(const struct keyset *keys, struct value *tree, struct problems *problems)
{
	const struct value *runtimes;

	if (tree->type != VALUE_OBJECT) {
		problems_error(problems, -EINVAL, NULL,
		               "invalid JSON: the top level must be an object, found %s",
		               value_type_name(tree->type));
		return -EINVAL;
	}
	runtimes = value_member(tree, keys->keys[KEY_ID_RUNTIMES]->name);
	return runtimes ? runtime_limits_check(runtimes, problems) : 0;
}

int settings_from_tree(struct arena *arena, const struct keyset *keys, struct value *tree,
                       struct settings *ret, struct problems *problems)
{
	struct settings settings;
	int r;

	r = settings_init(arena, keys, &settings);
	if (r == 0 && tree->type != VALUE_NULL) {
		r = check_limits(keys, tree, problems);
		if (r == 0) {
			read_sort_members(tree);
			r = check_keys(keys, tree, problems);
		}
		if (r == 0)
			r = read_keys(tree, &settings, problems);
	}
	if (r < 0 && r != -EINVAL)
		return r;
	*ret = settings;
	return 0;
}
