/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draft/report.h"

#include <errno.h>
#include <string.h>

#include "draft/attributes.h"
#include "values/mask.h"

/* The lists while they are made. */
struct lists {
	struct text changed, reset, needs_restart, keys;
};

static void lists_fini(struct lists *lists)
{
	text_fini(&lists->changed);
	text_fini(&lists->reset);
	text_fini(&lists->needs_restart);
	text_fini(&lists->keys);
}

/* {"key","from","to"}; NULL gives null. */
static void write_change(struct text *text, const char *name, const struct key_info *key,
                         const struct value *from, const struct value *to)
{
	json_open(text, '{');
	json_member_string(text, "key", name);
	json_key(text, "from");
	if (from)
		mask_write(text, key, from);
	else
		json_null(text);
	json_key(text, "to");
	if (to)
		mask_write(text, key, to);
	else
		json_null(text);
	json_close(text, '}');
}

/* --- runtimes, one by one --- */

/* A runtime that differs; `from` or `to` is NULL where it was added or removed. */
typedef void (*runtime_difference_fn)(void *context, const char *name, const struct value *from,
                                      const struct value *to);

/* Walks two objects in order of name and calls `fn` for what differs. */
static void each_difference(const struct value *from, const struct value *to, runtime_difference_fn fn,
                            void *context)
{
	uint32_t i = 0, j = 0;

	while (i < from->count || j < to->count) {
		int order = i == from->count ? 1
		            : j == to->count ? -1
		                             : strcmp(from->members[i].key, to->members[j].key);
		const char *name = order <= 0 ? from->members[i].key : to->members[j].key;
		const struct value *before = order <= 0 ? &from->members[i++].value : NULL;
		const struct value *after = order >= 0 ? &to->members[j++].value : NULL;

		if (!before || !after || !value_equal(before, after))
			fn(context, name, before, after);
	}
}

static void list_name_before(void *context, const char *name, const struct value *from,
                             const struct value *to)
{
	(void)to;
	if (from)
		json_string(context, name);
}

static void list_name_after(void *context, const char *name, const struct value *from, const struct value *to)
{
	(void)from;
	if (to)
		json_string(context, name);
}

static void list_runtime(void *context, const char *name, const struct value *from, const struct value *to)
{
	static const struct key_info plain = {.type = KEY_OBJECT, .name = ""};
	_cleanup_text_ struct text key = {0};
	struct lists *lists = context;

	text_printf(&key, "runtimes.%s", name);
	write_change(&lists->changed, text_string(&key), &plain, from, to);
	json_string(&lists->keys, text_string(&key));
}

/* Runtimes that went with their drop-ins: of no file now, though a flag may have one of the name. */
static void list_gone(struct lists *lists, const struct draft *draft, const struct setting *live)
{
	static const struct key_info plain = {.type = KEY_OBJECT, .name = ""};
	const struct setting *merged = &draft->merged.items[KEY_ID_RUNTIMES];
	const struct value *to = &merged->value;
	uint32_t j = 0;

	for (uint32_t i = 0; i < live->value.count; i++) {
		const struct member *from = &live->value.members[i];
		_cleanup_text_ struct text key = {0};
		bool there;

		while (j < to->count && strcmp(to->members[j].key, from->key) < 0)
			j++;
		there = j < to->count && strcmp(to->members[j].key, from->key) == 0;
		if (!settings_member_fragment(live, i) ||
		    (there && (settings_member_origin(merged, j) == ORIGIN_FILE ||
		               value_equal(&from->value, &to->members[j].value))))
			continue;
		text_printf(&key, "runtimes.%s", from->key);
		write_change(&lists->reset, text_string(&key), &plain, &from->value,
		             there ? &to->members[j].value : NULL);
	}
}

static void compare_runtimes(struct lists *lists, const struct value *from, const struct value *to)
{
	json_open(&lists->changed, '{');
	json_member_string(&lists->changed, "key", "runtimes");
	json_key(&lists->changed, "from");
	json_open(&lists->changed, '[');
	each_difference(from, to, list_name_before, &lists->changed);
	json_close(&lists->changed, ']');
	json_key(&lists->changed, "to");
	json_open(&lists->changed, '[');
	each_difference(from, to, list_name_after, &lists->changed);
	json_close(&lists->changed, ']');
	json_close(&lists->changed, '}');
	json_string(&lists->keys, "runtimes");
	each_difference(from, to, list_runtime, lists);
}

static bool same_features(const struct rtreg_runtime *a, const struct rtreg_runtime *b)
{
	return a->features_json == b->features_json ||
	       (a->features_json && b->features_json && strcmp(a->features_json, b->features_json) == 0);
}

static void list_features(struct lists *lists, const struct rtreg_runtime *before,
                          const struct rtreg_runtime *after)
{
	_cleanup_text_ struct text key = {0};

	text_printf(&key, "runtimes.%s.features", after->name);
	json_open(&lists->changed, '{');
	json_member_string(&lists->changed, "key", text_string(&key));
	json_member_raw(&lists->changed, "from", before->features_json);
	json_member_raw(&lists->changed, "to", after->features_json);
	json_close(&lists->changed, '}');
	json_string(&lists->keys, text_string(&key));
}

/*
 * Features documents of runtimes that are in both: they change with the binary, not with the configuration. Both are in
 * order of name.
 */
static void compare_features(struct lists *lists, const struct rtreg_snapshot *from,
                             const struct rtreg_snapshot *to)
{
	for (size_t i = 0, j = 0; i < from->runtime_count && j < to->runtime_count;) {
		const struct rtreg_runtime *before = &from->runtimes[i].runtime;
		const struct rtreg_runtime *after = &to->runtimes[j].runtime;
		int order = strcmp(before->name, after->name);

		if (order == 0 && before->path && after->path && strcmp(before->path, after->path) == 0 &&
		    !same_features(before, after))
			list_features(lists, before, after);
		i += order <= 0;
		j += order >= 0;
	}
}

/* --- all keys --- */

static void compare_key(struct lists *lists, const struct draft *draft, size_t index)
{
	const struct key_info *key = draft->merged.keys->keys[index];
	struct setting live = draft_live(draft->input.live, draft->merged.keys, index);
	const struct value *to = &draft->merged.items[index].value;

	if (key->rule == RULE_RESTART) {
		to = &draft->candidate.items[index].value;
		if (!value_equal(&live.value, to))
			write_change(&lists->needs_restart, key->name, key, &live.value, to);
		return;
	}
	if (value_equal(&live.value, to))
		return;
	if (index == KEY_ID_RUNTIMES) {
		compare_runtimes(lists, &live.value, to);
		list_gone(lists, draft, &live);
		return;
	}
	write_change(&lists->changed, key->name, key, &live.value, to);
	json_string(&lists->keys, key->name);
	if (draft_resets(draft, index))
		write_change(&lists->reset, key->name, key, &live.value, to);
}

int report_new(const struct draft *draft, const struct rtreg_snapshot *sealed, struct rtreg_report **ret)
{
	_cleanup_report_ struct rtreg_report *report = calloc(1, sizeof(*report));
	_cleanup_(lists_fini) struct lists lists = {0};

	if (!report)
		return -ENOMEM;
	json_open(&lists.changed, '[');
	json_open(&lists.reset, '[');
	json_open(&lists.needs_restart, '[');
	json_open(&lists.keys, '[');
	if (draft->input.live) {
		for (size_t i = 0; i < draft->merged.keys->count; i++)
			compare_key(&lists, draft, i);
		compare_features(&lists, draft->input.live, sealed);
		report->unchanged = lists.changed.length == 1;
	}
	json_close(&lists.changed, ']');
	json_close(&lists.reset, ']');
	json_close(&lists.needs_restart, ']');
	json_close(&lists.keys, ']');
	report->changed = text_steal(&lists.changed);
	report->reset = text_steal(&lists.reset);
	report->needs_restart = text_steal(&lists.needs_restart);
	report->changed_keys = text_steal(&lists.keys);
	report->attributes = attributes_json(&draft->merged);
	if (!report->changed || !report->reset || !report->needs_restart || !report->changed_keys ||
	    !report->attributes)
		return -ENOMEM;
	*ret = take(report);
	return 0;
}

static void write_ignored(struct text *text, const struct problem_list *ignored)
{
	json_key(text, "ignored");
	json_open(text, '[');
	for (size_t i = 0; i < ignored->count; i++) {
		json_open(text, '{');
		json_member_string(text, "key", ignored->items[i].where);
		json_member_string(text, "why", ignored->items[i].message);
		json_close(text, '}');
	}
	json_close(text, ']');
}

static int copy_warnings(struct rtreg_report *report, const struct problem_list *warnings)
{
	report->warnings = calloc(warnings->count + 1, sizeof(*report->warnings));
	if (!report->warnings)
		return -ENOMEM;
	for (size_t i = 0; i < warnings->count; i++) {
		report->warnings[i] = strdup(warnings->items[i].message);
		if (!report->warnings[i])
			return -ENOMEM;
		report->warning_count++;
	}
	return 0;
}

/* The last member of the report, so that commit errors can be put into it afterwards. */
#define NO_COMMIT_ERRORS ",\"commit-errors\":[]}"

int report_finish(struct rtreg_report *report, uint64_t generation, uint64_t previous,
                  const struct problems *problems)
{
	struct text text = {0};

	report->generation = generation;
	report->previous = previous;
	/* A report that lacks a warning is worse than none. */
	if (problems->failed || copy_warnings(report, &problems->warnings) < 0)
		return -ENOMEM;
	json_open(&text, '{');
	json_member_uint(&text, "generation", generation);
	json_member_uint(&text, "previous", previous);
	json_member_bool(&text, "unchanged", report->unchanged);
	json_member_raw(&text, "changed", report->changed);
	json_member_raw(&text, "reset", report->reset);
	json_member_raw(&text, "needs-restart", report->needs_restart);
	write_ignored(&text, &problems->ignored);
	json_member_raw(&text, "attributes", report->attributes);
	json_key(&text, "warnings");
	json_open(&text, '[');
	for (size_t i = 0; i < report->warning_count; i++)
		json_string(&text, report->warnings[i]);
	json_close(&text, ']');
	text_append(&text, NO_COMMIT_ERRORS);
	report->json = text_steal(&text);
	return report->json ? 0 : -ENOMEM;
}

void report_add_commit_errors(struct rtreg_report *report, const struct rtreg_error *errors)
{
	struct text text = {0};
	char *json;

	if (errors->code == 0)
		return;
	text_append_n(&text, report->json, strlen(report->json) - strlen("]}"));
	json_string(&text, errors->message);
	for (size_t i = 0; errors->more && i < errors->more->count; i++)
		json_string(&text, errors->more->errors[i].message);
	text_append(&text, "]}");
	json = text_steal(&text);
	if (!json)
		return;
	free(report->json);
	report->json = json;
}

void rtreg_report_free(struct rtreg_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->warning_count; i++)
		free(report->warnings[i]);
	free(report->warnings);
	free(report->changed);
	free(report->reset);
	free(report->needs_restart);
	free(report->changed_keys);
	free(report->attributes);
	free(report->json);
	free(report);
}

uint64_t rtreg_report_generation(const struct rtreg_report *report)
{
	return report->generation;
}

uint64_t rtreg_report_previous(const struct rtreg_report *report)
{
	return report->previous;
}

bool rtreg_report_unchanged(const struct rtreg_report *report)
{
	return report->unchanged;
}

const char *rtreg_report_json(const struct rtreg_report *report)
{
	return report->json;
}

const char *rtreg_report_attributes_json(const struct rtreg_report *report)
{
	return report->attributes;
}

const char *rtreg_report_changed_json(const struct rtreg_report *report)
{
	return report->changed_keys;
}

const char *rtreg_report_warning(const struct rtreg_report *report, size_t index)
{
	return index < report->warning_count ? report->warnings[index] : NULL;
}
