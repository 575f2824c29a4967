/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking keys up, and adding an engine's own to the built-in ones. The table is in key_table.c. */
#include "values/keys.h"

#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "base/suggest.h"
#include "base/utf8.h"

static void keyset_freep(struct keyset **keys)
{
	keyset_free(*keys);
}

void keyset_free(struct keyset *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->own_count; i++)
		free((char *)keys->own[i].name);
	free(keys->own);
	free(keys->keys);
	free(keys);
}

static bool own_name_is_valid(const char *name)
{
	size_t length = name ? strlen(name) : 0, size;

	/* The report names members so; a key like that could not be told from one. */
	if (length == 0 || strncmp(name, "proxies.", 8) == 0 || strncmp(name, "runtimes.", 9) == 0)
		return false;
	for (size_t at = 0; at < length; at += size) {
		size = utf8_sequence(name + at, length - at);
		if (size == 0 || (unsigned char)name[at] < 0x20 || name[at] == 0x7f)
			return false;
	}
	return true;
}

static bool own_type(enum rtreg_type type, enum key_type *ret)
{
	switch (type) {
	case RTREG_TYPE_STRING:
		*ret = KEY_STRING;
		return true;
	case RTREG_TYPE_BOOL:
		*ret = KEY_BOOL;
		return true;
	case RTREG_TYPE_INT:
		*ret = KEY_INT;
		return true;
	case RTREG_TYPE_STRINGS:
		*ret = KEY_STRINGS;
		return true;
	case RTREG_TYPE_OBJECT:
		*ret = KEY_OBJECT;
		return true;
	}
	return false;
}

static bool own_rule(enum rtreg_key_rule rule, enum key_rule *ret)
{
	switch (rule) {
	case RTREG_KEY_KEEP:
		*ret = RULE_KEEP;
		return true;
	case RTREG_KEY_RESET:
		*ret = RULE_RESET;
		return true;
	case RTREG_KEY_RESTART:
		*ret = RULE_RESTART;
		return true;
	}
	return false;
}

static int keyset_add(struct keyset *keys, const struct rtreg_key *key, struct rtreg_error *error)
{
	struct key_info info = {.step = STEP_ENGINE_KEYS, .help = "a key of the engine's own"};

	if (!own_name_is_valid(key->name))
		return error_set(error, -EINVAL, key->name, "a key cannot have the name \"%s\"",
		                 key->name ? key->name : "");
	if (!own_type(key->type, &info.type) || !own_rule(key->rule, &info.rule))
		return error_set(error, -EINVAL, key->name, "key %s: unknown type or rule", key->name);
	if (keyset_find(keys, key->name) >= 0 || keyset_find_flag(keys, key->name) >= 0 ||
	    compat_find(key->name) || strcmp(key->name, "proxies") == 0)
		return error_set(error, -EEXIST, key->name, "key %s: there is one already", key->name);
	info.name = strdup(key->name);
	if (!info.name)
		return error_no_memory(error);
	if (info.type != KEY_OBJECT) /* which no flag can spell */
		info.flag = info.name;
	keys->own[keys->own_count] = info;
	keys->keys[keys->count++] = &keys->own[keys->own_count++];
	return 0;
}

int keyset_new(const struct rtreg_key *own, size_t own_count, struct keyset **ret, struct rtreg_error *error)
{
	_cleanup_(keyset_freep) struct keyset *keys = calloc(1, sizeof(*keys));
	int r;

	if (!keys || own_count > SIZE_MAX - builtin_key_count)
		return error_no_memory(error);
	keys->keys = calloc(builtin_key_count + own_count, sizeof(struct key_info *));
	keys->own = calloc(own_count ? own_count : 1, sizeof(*keys->own));
	if (!keys->keys || !keys->own)
		return error_no_memory(error);
	for (; keys->count < builtin_key_count; keys->count++)
		keys->keys[keys->count] = &builtin_keys[keys->count];
	for (size_t i = 0; i < own_count; i++) {
		r = keyset_add(keys, &own[i], error);
		if (r < 0)
			return r;
	}
	*ret = take(keys);
	return 0;
}

int keyset_find(const struct keyset *keys, const char *name)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->keys[i]->name, name) == 0)
			return (int)i;
	return -1;
}

int keyset_find_flag(const struct keyset *keys, const char *flag)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i]->flag && strcmp(keys->keys[i]->flag, flag) == 0)
			return (int)i;
	return -1;
}

const char *keyset_suggest(const struct keyset *keys, const char *name)
{
	struct suggestion suggestion = {.name = name};

	for (size_t i = 0; i < keys->count; i++)
		suggest_offer(&suggestion, keys->keys[i]->name);
	suggest_offer(&suggestion, "proxies");
	return suggestion.nearest;
}

const char *keyset_suggest_flag(const struct keyset *keys, const char *flag)
{
	struct suggestion suggestion = {.name = flag};

	for (size_t i = 0; i < keys->count; i++)
		suggest_offer(&suggestion, keys->keys[i]->flag);
	return suggestion.nearest;
}

const struct compat_key *compat_find(const char *name)
{
	for (size_t i = 0; i < compat_key_count; i++)
		if (strcmp(compat_keys[i].name, name) == 0)
			return &compat_keys[i];
	return NULL;
}
