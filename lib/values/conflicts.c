/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key is given by flag or by file, not by both: nobody could tell which one is meant. */
#include <errno.h>
#include <string.h>

#include "values/mask.h"
#include "values/settings.h"

static int compare_indexes(const void *a, const void *b, void *keys)
{
	const struct keyset *set = keys;

	return strcmp(set->keys[*(const size_t *)a]->name, set->keys[*(const size_t *)b]->name);
}

static void print_conflict(struct text *text, const struct key_info *key, const struct setting *flag,
                           const struct setting *file)
{
	text_printf(text, "%s%s: (from flag: ", text->length > 0 ? ", " : "", key->name);
	mask_print(text, key, &flag->value);
	text_append(text, ", from file: ");
	mask_print(text, key, &file->value);
	text_append_char(text, ')');
	if (file->fragment)
		text_printf(text, " in %s", file->fragment);
}

void settings_conflicts(const struct settings *flags, const struct settings *file, struct problems *problems)
{
	const struct keyset *keys = flags->keys;
	_cleanup_free_ size_t *both = calloc(keys->count, sizeof(*both));
	_cleanup_text_ struct text text = {0};
	size_t count = 0;

	if (!both) {
		problems->failed = true;
		return;
	}
	for (size_t i = 0; i < keys->count; i++)
		if (i != KEY_ID_RUNTIMES && flags->items[i].set && file->items[i].set)
			both[count++] = i;
	if (count == 0)
		return;
	qsort_r(both, count, sizeof(*both), compare_indexes, (void *)keys);
	for (size_t i = 0; i < count; i++)
		print_conflict(&text, keys->keys[both[i]], &flags->items[both[i]], &file->items[both[i]]);
	problems->failed |= text.failed;
	problems_error(
	        problems, -EINVAL, keys->keys[both[0]]->name,
	        "the following directives are specified both as a flag and in the configuration file: %s",
	        text_string(&text));
}
