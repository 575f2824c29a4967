/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several files' settings as one: each key has one owner, and so has each runtime (docs/dropins.md). */
#include <errno.h>
#include <string.h>

#include "values/mask.h"
#include "values/runtime_limits.h"
#include "values/settings.h"

/* What is wrong with a key counts as setting it: two owners are an error whatever they say. */
static bool has(const struct layer *layer, size_t index)
{
	return layer->settings.items[index].set || layer->settings.items[index].invalid;
}

static void merge_key(const struct layer *layers, size_t count, size_t index, struct settings *settings,
                      struct problems *problems)
{
	const char *name = settings->keys->keys[index]->name;
	const struct layer *owner = NULL;

	for (const struct layer *layer = layers; layer < layers + count; layer++) {
		if (!has(layer, index))
			continue;
		if (owner) {
			problems_error(problems, -EINVAL, name, "the key %s is set in two files: %s and %s",
			               name, owner->path, layer->path);
			continue;
		}
		owner = layer;
		settings->items[index] = layer->settings.items[index];
		settings->items[index].fragment = layer->fragment;
	}
}

/* --- runtimes --- */

struct entry {
	const struct member *member;
	const struct layer *layer;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->member->key, y->member->key);

	return order != 0 ? order : (x->layer > y->layer) - (x->layer < y->layer);
}

static void report_double(const struct entry *first, const struct entry *second, struct problems *problems)
{
	_cleanup_text_ struct text name = {0}, where = {0};

	mask_name(&name, first->member->key);
	text_printf(&where, "runtimes.%s", text_string(&name));
	problems->failed |= name.failed || where.failed;
	problems_error(problems, -EINVAL, text_string(&where), "runtime %s is set in two files: %s and %s",
	               text_string(&name), first->layer->path, second->layer->path);
}

/* All files' runtimes in order of name, and of file where they have the same; malloc'ed. */
static struct entry *list_runtimes(const struct layer *layers, size_t count, size_t total)
{
	struct entry *entries = calloc(total + 1, sizeof(*entries));
	size_t filled = 0;

	for (const struct layer *layer = layers; entries && layer < layers + count; layer++) {
		const struct value *value = settings_get(&layer->settings, KEY_ID_RUNTIMES);

		for (uint32_t i = 0; i < value->count; i++)
			entries[filled++] = (struct entry){&value->members[i], layer};
	}
	if (entries)
		qsort(entries, total, sizeof(*entries), compare_entries);
	return entries;
}

static int fill_runtimes(struct arena *arena, const struct entry *entries, size_t total, struct setting *ret,
                         struct problems *problems)
{
	struct member *members = arena_alloc_array(arena, total, sizeof(*members));
	const char **fragments = arena_alloc_array(arena, total, sizeof(*fragments));
	const struct entry *owner = NULL;
	uint32_t count = 0;

	if (!members || !fragments)
		return -ENOMEM;
	for (const struct entry *entry = entries; entry < entries + total; entry++) {
		if (owner && strcmp(owner->member->key, entry->member->key) == 0) {
			report_double(owner, entry, problems);
			continue;
		}
		owner = entry;
		members[count] = *entry->member;
		fragments[count++] = entry->layer->fragment;
	}
	ret->value = (struct value){.type = VALUE_OBJECT, .count = count, .members = members};
	ret->fragments = fragments;
	settings_note_owner(ret);
	return 0;
}

/* The layer that has all runtimes, or NULL: several have some. */
static const struct layer *only_owner(const struct layer *layers, size_t count)
{
	const struct layer *owner = NULL;

	for (const struct layer *layer = layers; layer < layers + count; layer++) {
		if (settings_get(&layer->settings, KEY_ID_RUNTIMES)->count == 0)
			continue;
		if (owner)
			return NULL;
		owner = layer;
	}
	return owner;
}

static int merge_runtimes(struct arena *arena, const struct layer *layers, size_t count, struct setting *ret,
                          struct problems *problems)
{
	const struct layer *owner = only_owner(layers, count);
	_cleanup_free_ struct entry *entries = NULL;
	size_t total = 0;

	for (const struct layer *layer = layers; layer < layers + count; layer++) {
		const struct setting *setting = &layer->settings.items[KEY_ID_RUNTIMES];

		if (setting->set && !ret->set) {
			ret->set = true;
			ret->origin = setting->origin;
			ret->fragment = layer->fragment;
		}
		ret->invalid |= setting->invalid;
		total += setting->value.count;
	}
	if (total == 0)
		return 0;
	if (total > RUNTIMES_MAX) {
		problems_error(problems, -EINVAL, "runtimes",
		               "too many runtimes: %zu in all files, at most %u are allowed", total,
		               RUNTIMES_MAX);
		ret->invalid = true;
		return 0;
	}
	if (owner) {
		const struct setting *runtimes = &owner->settings.items[KEY_ID_RUNTIMES];

		ret->value = runtimes->value;
		ret->origin = runtimes->origin;
		ret->fragment = owner->fragment;
		return 0;
	}
	entries = list_runtimes(layers, count, total);
	return entries ? fill_runtimes(arena, entries, total, ret, problems) : -ENOMEM;
}

/* --- all keys --- */

static int compare_indexes(const void *a, const void *b, void *context)
{
	const struct keyset *keys = context;

	return strcmp(keys->keys[*(const size_t *)a]->name, keys->keys[*(const size_t *)b]->name);
}

/* Every key's index, in order of name: that is how errors are listed. */
static size_t *indexes_by_name(const struct keyset *keys)
{
	size_t *indexes = calloc(keys->count, sizeof(*indexes));

	for (size_t i = 0; indexes && i < keys->count; i++)
		indexes[i] = i;
	if (indexes)
		qsort_r(indexes, keys->count, sizeof(*indexes), compare_indexes, (void *)keys);
	return indexes;
}

int settings_merge(struct arena *arena, const struct keyset *keys, const struct layer *layers, size_t count,
                   struct settings *ret, struct problems *problems)
{
	_cleanup_free_ size_t *indexes = indexes_by_name(keys);
	struct settings settings;
	int r;

	if (!indexes)
		return -ENOMEM;
	r = settings_init(arena, keys, &settings);
	for (size_t i = 0; r == 0 && i < keys->count; i++)
		if (indexes[i] == KEY_ID_RUNTIMES)
			r = merge_runtimes(arena, layers, count, &settings.items[KEY_ID_RUNTIMES], problems);
		else
			merge_key(layers, count, indexes[i], &settings, problems);
	if (r == 0)
		*ret = settings;
	return r;
}
