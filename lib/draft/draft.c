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
	CHOOSE_RESTORE,
};

static enum choice choose_at_start(const struct draft *draft, size_t index)
{
	const struct setting *file = &draft->input.file->items[index];

	if (draft->input.restore)
		return CHOOSE_RESTORE;
	if (!file->set || (!draft->input.exact && means_default_at_start(draft, index, &file->value)))
		return CHOOSE_BASE;
	return CHOOSE_FILE;
}

static bool same_fragment(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether a drop-in had set the live value, and does not have the key any more. */
static bool has_gone(const struct draft *draft, size_t index)
{
	const struct setting *file = &draft->input.file->items[index];
	struct setting live = draft_live(draft->input.live, draft->merged.keys, index);

	return live.origin == ORIGIN_FILE && live.fragment &&
	       !(file->set && same_fragment(file->fragment, live.fragment));
}

static enum choice choose_at_reload(const struct draft *draft, size_t index)
{
	const struct key_info *key = draft->merged.keys->keys[index];
	const struct setting *file = &draft->input.file->items[index];

	if (!file->set || (key->rule == RULE_KEEP_NONEMPTY && settings_is_empty(&file->value)))
		return key->rule == RULE_RESET || has_gone(draft, index) ? CHOOSE_BASE : CHOOSE_LIVE;
	if (key->traits & KEY_ZERO_IS_DEFAULT && file->value.integer == 0)
		return CHOOSE_BASE;
	return CHOOSE_FILE;
}

static enum choice choose(const struct draft *draft, size_t index)
{
	return draft->input.live && !draft->input.like_a_start && !draft->input.restore
	               ? choose_at_reload(draft, index)
	               : choose_at_start(draft, index);
}

bool draft_resets(const struct draft *draft, size_t index)
{
	return !draft->input.file->items[index].set && choose(draft, index) == CHOOSE_BASE;
}

static struct setting chosen(const struct draft *draft, size_t index, enum choice choice)
{
	if (choice == CHOOSE_FILE)
		return draft->input.file->items[index];
	if (choice == CHOOSE_RESTORE)
		return draft_live(draft->input.restore, draft->merged.keys, index);
	return choice == CHOOSE_BASE ? base_setting(draft, index)
	                             : draft_live(draft->input.live, draft->merged.keys, index);
}

/* What the setting of the runtimes says of theirs. */
static int copy_owners(const struct draft *draft, struct setting *setting)
{
	uint32_t count = setting->value.count;
	enum origin *origins = arena_alloc_array(draft->arena, count, sizeof(*origins));
	const char **fragments = arena_alloc_array(draft->arena, count, sizeof(*fragments));

	if (!origins || !fragments)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		origins[i] = settings_member_origin(setting, i);
		fragments[i] = settings_member_fragment(setting, i);
		if (fragments[i])
			fragments[i] = arena_strdup(draft->arena, fragments[i]);
		if (!fragments[i] && settings_member_fragment(setting, i))
			return -ENOMEM;
	}
	setting->origins = origins;
	setting->fragments = fragments;
	return 0;
}

/* What a setting says of its origin, copied into the draft's arena. */
static int copy_owner(const struct draft *draft, struct setting *setting)
{
	if (!setting->fragment)
		return 0;
	setting->fragment = arena_strdup(draft->arena, setting->fragment);
	return setting->fragment ? 0 : -ENOMEM;
}

/* The chosen setting, copied into the draft's arena; the file's is there already. Not for runtimes. */
static int fetch(const struct draft *draft, size_t index, enum choice choice, struct setting *ret)
{
	struct setting from = chosen(draft, index, choice);

	*ret = from;
	if (choice == CHOOSE_FILE)
		return 0;
	if (!value_copy(draft->arena, &from.value, &ret->value))
		return -ENOMEM;
	return copy_owner(draft, ret);
}

/* The running value stays; where the new configuration has the same, it comes from there. */
static int hold_key(struct draft *draft, size_t index)
{
	struct setting *merged = &draft->merged.items[index], *candidate = &draft->candidate.items[index];
	struct setting live = draft_live(draft->input.live, draft->merged.keys, index);
	int r = fetch(draft, index, choose_at_start(draft, index), candidate);

	*merged = *candidate;
	if (r == 0 && draft->input.live && !value_equal(&candidate->value, &live.value))
		r = fetch(draft, index, CHOOSE_LIVE, merged);
	return r;
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
	for (size_t i = 0; r == 0 && i < keys->count; i++)
		if (keys->keys[i]->rule == RULE_RESTART)
			r = hold_key(draft, i);
	return r;
}

/* --- runtimes: three lists in order of name --- */

/* Whose entry is taken where several have the name, the first; those of the main file that stay when it has none. */
enum {
	FROM_FILES,
	FROM_KEPT,
	FROM_FLAGS,
	LISTS,
};

/* A list's next entry. */
struct cursor {
	struct setting from;
	uint32_t at;
	bool kept; /* only what is the main file's */
};

static const struct member *next(struct cursor *cursor)
{
	const struct setting *from = &cursor->from;

	while (cursor->kept && cursor->at < from->value.count &&
	       (settings_member_origin(from, cursor->at) != ORIGIN_FILE ||
	        settings_member_fragment(from, cursor->at)))
		cursor->at++;
	return cursor->at < from->value.count ? &from->value.members[cursor->at] : NULL;
}

/* The runtimes while they are put together; `fragments` and `origins` become the setting's. */
struct runtimes {
	struct cursor lists[LISTS];
	struct member *members;
	enum origin *origins;
	const char **fragments;
	uint32_t count;
};

/* Whether the files have all runtimes that there are: then theirs are taken as they stand. */
static bool only_files(const struct runtimes *runtimes)
{
	return runtimes->lists[FROM_FILES].from.value.count > 0 &&
	       runtimes->lists[FROM_KEPT].from.value.count == 0 &&
	       runtimes->lists[FROM_FLAGS].from.value.count == 0;
}

static int runtimes_init(struct runtimes *runtimes, const struct draft *draft)
{
	const struct draft_input *input = &draft->input;
	size_t capacity = 0;

	*runtimes = (struct runtimes){0};
	runtimes->lists[FROM_FILES].from = input->file->items[KEY_ID_RUNTIMES];
	runtimes->lists[FROM_FLAGS].from = input->flags->items[KEY_ID_RUNTIMES];
	if (input->live && !input->like_a_start && !input->has_runtimes)
		runtimes->lists[FROM_KEPT] =
		        (struct cursor){.from = input->live->settings.items[KEY_ID_RUNTIMES], .kept = true};
	for (size_t i = 0; i < LISTS; i++)
		capacity += runtimes->lists[i].from.value.count;
	if (only_files(runtimes))
		return 0;
	runtimes->members = arena_alloc_array(draft->arena, capacity, sizeof(*runtimes->members));
	runtimes->origins = arena_alloc_array(draft->arena, capacity, sizeof(*runtimes->origins));
	runtimes->fragments = arena_alloc_array(draft->arena, capacity, sizeof(*runtimes->fragments));
	return runtimes->members && runtimes->origins && runtimes->fragments ? 0 : -ENOMEM;
}

/* The files' are in the draft's arena already. */
static bool take_member(struct runtimes *runtimes, struct arena *arena, size_t list,
                        const struct member *member)
{
	struct member *to = &runtimes->members[runtimes->count];
	struct cursor *cursor = &runtimes->lists[list];

	*to = *member;
	runtimes->origins[runtimes->count] = list == FROM_FLAGS ? ORIGIN_FLAG : ORIGIN_FILE;
	if (list == FROM_FILES)
		runtimes->fragments[runtimes->count] = settings_member_fragment(&cursor->from, cursor->at);
	runtimes->count++;
	if (list == FROM_FILES)
		return true;
	to->key = arena_strdup(arena, member->key);
	return to->key && value_copy(arena, &member->value, &to->value);
}

/* Takes the first of the lists' next entries, and passes over those of the same name. False: without memory. */
static bool take_next(struct runtimes *runtimes, const struct draft *draft,
                      const struct member *const heads[LISTS])
{
	bool same[LISTS] = {false};
	size_t first = LISTS;

	for (size_t i = 0; i < LISTS; i++)
		if (heads[i] && (first == LISTS || strcmp(heads[i]->key, heads[first]->key) < 0))
			first = i;
	for (size_t i = first; i < LISTS; i++)
		same[i] = heads[i] && strcmp(heads[i]->key, heads[first]->key) == 0;
	if (first == FROM_FILES && same[FROM_FLAGS])
		problems_warn(draft->problems, "runtimes",
		              "runtime %s: the configuration file's entry is used, not the flag "
		              "--add-runtime's",
		              heads[first]->key);
	if (!take_member(runtimes, draft->arena, first, heads[first]))
		return false;
	for (size_t i = 0; i < LISTS; i++)
		runtimes->lists[i].at += same[i];
	return true;
}

/*
 * The files' entries, those of the main file that are kept because it says nothing now, and the flags'; the
 * files' win (CONTRACT section 6).
 */
static int merge_runtimes(const struct draft *draft, enum choice choice, struct setting *ret)
{
	struct runtimes runtimes;
	int r = runtimes_init(&runtimes, draft);

	if (only_files(&runtimes)) {
		*ret = runtimes.lists[FROM_FILES].from;
		return 0;
	}
	for (bool more = true; r == 0 && more;) {
		const struct member *heads[LISTS];

		more = false;
		for (size_t i = 0; i < LISTS; i++) {
			heads[i] = next(&runtimes.lists[i]);
			more |= heads[i] != NULL;
		}
		if (more && !take_next(&runtimes, draft, heads))
			r = -ENOMEM;
	}
	if (r < 0)
		return r;
	*ret = chosen(draft, KEY_ID_RUNTIMES, choice);
	ret->value =
	        (struct value){.type = VALUE_OBJECT, .count = runtimes.count, .members = runtimes.members};
	ret->origins = runtimes.origins;
	ret->fragments = runtimes.fragments;
	settings_note_owner(ret);
	return copy_owner(draft, ret);
}

/* --- the other keys --- */

static int merge_key(struct draft *draft, size_t index)
{
	struct setting *merged = &draft->merged.items[index];
	enum choice choice = choose(draft, index);
	int r;

	if (index == KEY_ID_RUNTIMES && choice != CHOOSE_RESTORE)
		r = merge_runtimes(draft, choice, merged);
	else
		r = fetch(draft, index, choice, merged);
	if (r == 0 && index == KEY_ID_RUNTIMES && choice == CHOOSE_RESTORE)
		r = copy_owners(draft, merged);

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

static bool same_owner(const struct setting *a, const struct setting *b)
{
	if (a->origin != b->origin || !same_fragment(a->fragment, b->fragment))
		return false;
	if (!a->origins && !a->fragments && !b->origins && !b->fragments)
		return true;
	for (uint32_t i = 0; i < a->value.count; i++)
		if (settings_member_origin(a, i) != settings_member_origin(b, i) ||
		    !same_fragment(settings_member_fragment(a, i), settings_member_fragment(b, i)))
			return false;
	return true;
}

bool draft_moved(const struct draft *draft)
{
	for (size_t i = 0; i < draft->merged.keys->count; i++) {
		struct setting live = draft_live(draft->input.live, draft->merged.keys, i);

		if (!same_owner(&draft->merged.items[i], &live))
			return true;
	}
	return false;
}
