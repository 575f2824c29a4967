/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "values/parse.h"

#define HEADER  "rtreg-record"
#define VERSION 1
#define PROXIES "proxies."

static const char *const state_names[] = {
        [RECORD_NONE] = "none",
        [RECORD_PENDING] = "pending",
        [RECORD_REVERTED] = "reverted",
};

/* --- writing --- */

/* Flags and defaults apply again at a start. */
static bool is_kept(const struct settings *settings, size_t index)
{
	return settings->items[index].origin == ORIGIN_FILE;
}

static bool is_proxy(const struct key_info *key)
{
	return strncmp(key->name, PROXIES, strlen(PROXIES)) == 0;
}

static void write_fragments(struct text *text, const struct settings *settings, size_t count)
{
	json_key(text, "fragments");
	json_open(text, '{');
	for (size_t i = 0; i < count; i++)
		if (is_kept(settings, i) && settings->items[i].fragment)
			json_member_string(text, settings->keys->keys[i]->name, settings->items[i].fragment);
	json_close(text, '}');
}

static void write_owners(struct text *text, const struct setting *runtimes)
{
	json_key(text, "runtimes");
	json_open(text, '{');
	for (uint32_t i = 0; i < runtimes->value.count; i++) {
		const char *fragment = settings_member_fragment(runtimes, i);

		if (fragment && settings_member_origin(runtimes, i) == ORIGIN_FILE)
			json_member_string(text, runtimes->value.members[i].key, fragment);
	}
	json_close(text, '}');
}

static void write_header(struct text *text, const struct record *record, const struct settings *settings,
                         size_t count)
{
	json_key(text, HEADER);
	json_open(text, '{');
	json_member_uint(text, "version", VERSION);
	json_member_string(text, "state", state_names[record->state]);
	json_member_uint(text, "generation", record->generation);
	json_member_string(text, "files", record->files[0] ? record->files : NULL);
	write_fragments(text, settings, count);
	write_owners(text, &settings->items[KEY_ID_RUNTIMES]);
	json_close(text, '}');
}

static void write_runtimes(struct text *text, const struct setting *runtimes)
{
	json_open(text, '{');
	for (uint32_t i = 0; i < runtimes->value.count; i++) {
		if (settings_member_origin(runtimes, i) != ORIGIN_FILE)
			continue;
		json_key(text, runtimes->value.members[i].key);
		value_write(text, &runtimes->value.members[i].value);
	}
	json_close(text, '}');
}

static void write_value(struct text *text, const struct key_info *key, const struct value *value)
{
	char bytes[32];

	if (key->type != KEY_BYTES) {
		value_write(text, value);
		return;
	}
	snprintf(bytes, sizeof(bytes), "%lld", (long long)value->integer);
	json_string(text, bytes);
}

static void write_proxies(struct text *text, const struct settings *settings, size_t count)
{
	json_key(text, "proxies");
	json_open(text, '{');
	for (size_t i = 0; i < count; i++) {
		const struct key_info *key = settings->keys->keys[i];

		if (!is_proxy(key) || !is_kept(settings, i))
			continue;
		json_key(text, key->name + strlen(PROXIES));
		value_write(text, &settings->items[i].value);
	}
	json_close(text, '}');
}

char *record_write(const struct record *record, const struct rtreg_snapshot *confirmed,
                   const struct keyset *known)
{
	const struct settings *settings = &confirmed->settings;
	/* The engine's own keys come last, those that were added later at the end. */
	size_t count = known->count < settings->keys->count ? known->count : settings->keys->count;
	struct text text = {0};

	json_open(&text, '{');
	write_header(&text, record, settings, count);
	for (size_t i = 0; i < count; i++) {
		if (!is_kept(settings, i) || is_proxy(settings->keys->keys[i]))
			continue;
		json_key(&text, settings->keys->keys[i]->name);
		if (i == KEY_ID_RUNTIMES)
			write_runtimes(&text, &settings->items[i]);
		else
			write_value(&text, settings->keys->keys[i], &settings->items[i].value);
	}
	write_proxies(&text, settings, count);
	json_close(&text, '}');
	text_append_char(&text, '\n');
	return text_steal(&text);
}

/* --- reading --- */

static bool read_state(const char *name, enum record_state *ret)
{
	for (size_t i = RECORD_PENDING; name && i < ARRAY_SIZE(state_names); i++)
		if (strcmp(name, state_names[i]) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* Null where a body was on trial. */
static bool read_files(const struct value *files, char ret[DIGEST_LENGTH + 1])
{
	ret[0] = '\0';
	if (!files || files->type == VALUE_NULL)
		return files != NULL;
	if (files->type != VALUE_STRING || files->count != DIGEST_LENGTH)
		return false;
	memcpy(ret, files->string, DIGEST_LENGTH + 1);
	return true;
}

static bool read_header(const struct value *header, struct record *ret)
{
	const struct value *version = value_member(header, "version"),
	                   *generation = value_member(header, "generation");

	if (!version || version->type != VALUE_INT || version->integer != VERSION || !generation ||
	    generation->type != VALUE_INT || generation->integer < 0)
		return false;
	ret->generation = (uint64_t)generation->integer;
	return read_state(value_string(value_member(header, "state")), &ret->state) &&
	       read_files(value_member(header, "files"), ret->files);
}

/* Takes the header out of the tree; false if there is none. */
static bool take_header(struct value *tree, struct value *ret)
{
	for (uint32_t i = 0; tree->type == VALUE_OBJECT && i < tree->count; i++) {
		if (strcmp(tree->members[i].key, HEADER) != 0)
			continue;
		*ret = tree->members[i].value;
		memmove(&tree->members[i], &tree->members[i + 1],
		        (--tree->count - i) * sizeof(tree->members[0]));
		return true;
	}
	return false;
}

static void set_fragments(const struct value *fragments, const struct settings *settings)
{
	for (uint32_t i = 0; fragments && fragments->type == VALUE_OBJECT && i < fragments->count; i++) {
		int index = keyset_find(settings->keys, fragments->members[i].key);

		if (index >= 0 && settings->items[index].set)
			settings->items[index].fragment = value_string(&fragments->members[i].value);
	}
}

/* Both are in order of name, so that one walk is enough. */
static int set_owners(struct arena *arena, struct value *owners, struct setting *runtimes)
{
	const char **fragments;
	uint32_t at = 0;

	if (!owners || owners->type != VALUE_OBJECT || owners->count == 0)
		return 0;
	fragments = arena_alloc_array(arena, runtimes->value.count, sizeof(*fragments));
	if (!fragments)
		return -ENOMEM;
	value_sort(owners);
	for (uint32_t i = 0; i < runtimes->value.count; i++) {
		const char *name = runtimes->value.members[i].key;

		while (at < owners->count && strcmp(owners->members[at].key, name) < 0)
			at++;
		if (at < owners->count && strcmp(owners->members[at].key, name) == 0)
			fragments[i] = value_string(&owners->members[at].value);
	}
	runtimes->fragments = fragments;
	settings_note_owner(runtimes);
	return 0;
}

int record_parse(struct arena *arena, const char *text, size_t length, struct record *ret,
                 struct record_tree *ret_tree, struct rtreg_error *error)
{
	struct record record = {0};
	struct record_tree tree;
	int r = parse_json(arena, text, length, &tree.config, error);

	if (r < 0)
		return r;
	if (!take_header(&tree.config, &tree.header) || !read_header(&tree.header, &record))
		return error_set(error, -EINVAL, NULL, "it is no record of a confirmed configuration");
	*ret = record;
	*ret_tree = tree;
	return 0;
}

int record_settings(struct arena *arena, const struct keyset *keys, struct record_tree *tree,
                    struct settings *ret, struct problems *problems)
{
	struct settings settings;
	int r = settings_from_tree(arena, keys, &tree->config, &settings, problems);

	if (r < 0)
		return r;
	set_fragments(value_member(&tree->header, "fragments"), &settings);
	r = set_owners(arena, (struct value *)value_member(&tree->header, "runtimes"),
	               &settings.items[KEY_ID_RUNTIMES]);
	if (r == 0)
		*ret = settings;
	return r;
}
