/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draft/draft.h"

#include <errno.h>
#include <string.h>

/* A setting of `settings`, which may know fewer keys (the engine added some since). */
static struct setting setting_at(const struct settings *settings, const struct keyset *keys, size_t index)
{
	if (index < settings->keys->count)
		return settings->items[index];
	return (struct setting){.value = settings_zero(keys->keys[index]->type)};
}

struct setting draft_live(const struct rtreg_snapshot *live, const struct keyset *keys, size_t index)
{
	if (!live)
		return (struct setting){.value = settings_zero(keys->keys[index]->type)};
	return setting_at(&live->settings, keys, index);
}

/* What holds where the file says nothing: the flag's value, else the default. */
static struct setting base_setting(const struct draft *draft, size_t index)
{
	struct setting flag = setting_at(draft->input.flags, draft->merged.keys, index);

	return flag.set ? flag : setting_at(draft->input.defaults, draft->merged.keys, index);
}

/* A string that has a default is not set by "" (CONTRACT C30 says so of two; a start treats all alike). */
static bool means_default_at_start(const struct draft *draft, size_t index, const struct value *value)
{
	const struct key_info *key = draft->merged.keys->keys[index];

	if (value->type == VALUE_STRING)
		return value->count == 0;
	return value->type == VALUE_INT && value->integer == 0 &&
	       key->traits & (KEY_ZERO_IS_DEFAULT | KEY_ZERO_IS_DEFAULT_AT_START);
}

/* Where a key's value comes from. */
enum choice {
	CHOOSE_FILE,
	CHOOSE_BASE,
	CHOOSE_LIVE,
};

static enum choice choose_at_start(const struct draft *draft, size_t index)
{
	const struct setting *file = &draft->input.file->items[index];

	return file->set && !means_default_at_start(draft, index, &file->value) ? CHOOSE_FILE : CHOOSE_BASE;
}

static enum choice choose_at_reload(const struct draft *draft, size_t index)
{
	const struct key_info *key = draft->merged.keys->keys[index];
	const struct setting *file = &draft->input.file->items[index];

	if (!file->set)
		return key->rule == RULE_RESET ? CHOOSE_BASE : CHOOSE_LIVE;
	if (key->rule == RULE_KEEP_NONEMPTY && settings_is_empty(&file->value))
		return CHOOSE_LIVE;
	if (key->traits & KEY_ZERO_IS_DEFAULT && file->value.integer == 0)
		return CHOOSE_BASE;
	return CHOOSE_FILE;
}

static enum choice choose(const struct draft *draft, size_t index)
{
	return draft->input.live && !draft->input.like_a_start ? choose_at_reload(draft, index)
	                                                       : choose_at_start(draft, index);
}

/* The chosen setting, copied into the draft's arena; the file's is there already. */
static int fetch(const struct draft *draft, size_t index, enum choice choice, struct setting *ret)
{
	struct setting from;

	if (choice == CHOOSE_FILE) {
		*ret = draft->input.file->items[index];
		return 0;
	}
	from = choice == CHOOSE_BASE ? base_setting(draft, index)
	                             : draft_live(draft->input.live, draft->merged.keys, index);
	*ret = from;
	return value_copy(draft->arena, &from.value, &ret->value) ? 0 : -ENOMEM;
}

int draft_init(struct draft *draft, struct arena *arena, const struct draft_input *input,
               struct problems *problems)
{
	const struct keyset *keys = input->file->keys;
	int r;

	*draft = (struct draft){.arena = arena, .input = *input, .problems = problems};
	r = settings_init(arena, keys, &draft->merged);
	if (r == 0)
		r = settings_init(arena, keys, &draft->candidate);
	for (size_t i = 0; r == 0 && i < keys->count; i++) {
		if (keys->keys[i]->rule != RULE_RESTART)
			continue;
		r = fetch(draft, i, choose_at_start(draft, i), &draft->candidate.items[i]);
		draft->merged.items[i] = draft->candidate.items[i];
		if (r == 0 && input->live)
			r = fetch(draft, i, CHOOSE_LIVE, &draft->merged.items[i]);
	}
	return r;
}

static bool copy_member(struct arena *arena, const struct member *from, struct member *ret)
{
	ret->key = arena_strdup(arena, from->key);
	return ret->key && value_copy(arena, &from->value, &ret->value);
}

/*
 * The file's and the flags' runtimes in one object; the file's entry wins (CONTRACT section 6). Both are in
 * order of name.
 */
static int merge_runtimes(struct draft *draft, struct setting *setting)
{
	const struct value *flags = settings_get(draft->input.flags, KEY_ID_RUNTIMES);
	const struct value file = setting->value;
	struct member *members =
	        arena_alloc_array(draft->arena, (size_t)file.count + flags->count, sizeof(*members));
	uint32_t f = 0, count = 0;

	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i <= file.count; i++) {
		const char *name = i < file.count ? file.members[i].key : NULL;

		for (; f < flags->count && (!name || strcmp(flags->members[f].key, name) < 0); f++)
			if (!copy_member(draft->arena, &flags->members[f], &members[count++]))
				return -ENOMEM;
		if (!name)
			break;
		if (f < flags->count && strcmp(flags->members[f].key, name) == 0) {
			problems_warn(draft->problems, "runtimes",
			              "runtime %s: the configuration file's entry is used, not the flag "
			              "--add-runtime's",
			              name);
			f++;
		}
		members[count++] = file.members[i];
	}
	setting->value = (struct value){.type = VALUE_OBJECT, .count = count, .members = members};
	return 0;
}

static int merge_key(struct draft *draft, size_t index)
{
	struct setting *merged = &draft->merged.items[index];
	enum choice choice = choose(draft, index);
	int r = fetch(draft, index, choice, merged);

	if (r == 0 && choice == CHOOSE_FILE && index == KEY_ID_RUNTIMES)
		r = merge_runtimes(draft, merged);
	if (r == 0 && choice != CHOOSE_LIVE && index == KEY_ID_LABELS)
		r = labels_unique(draft->arena, &merged->value, &merged->value);
	merged->invalid = draft->input.file->items[index].invalid;
	draft->candidate.items[index] = *merged;
	return r;
}

int draft_merge_step(struct draft *draft, enum step_id step)
{
	const struct keyset *keys = draft->merged.keys;
	int r = 0;

	for (size_t i = 0; r == 0 && i < keys->count; i++)
		if (keys->keys[i]->step == step && keys->keys[i]->rule != RULE_RESTART)
			r = merge_key(draft, i);
	return r;
}

/*
 * The candidate holds what a start with this configuration would have; the merged settings differ from it in
 * keys that are held, and must not contradict them either.
 */
void draft_check(const struct draft *draft)
{
	checks_run(&draft->candidate, draft->problems);
	if (draft->input.live)
		checks_run(&draft->merged, draft->problems);
}
