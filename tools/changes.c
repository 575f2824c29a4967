/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "changes.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "display.h"
#include "moment.h"
#include "say.h"
#include "table.h"

#define VALUE_WIDTH   48
#define CONTEXT_WIDTH 12 /* of what two long values have in common, shown in front of the difference */
#define ELLIPSIS      "\xe2\x80\xa6"

static const char *key_of(struct json_object *change)
{
	const char *key = reply_as_string(change);

	return *key ? key : reply_string(change, "key");
}

bool changes_is_summary(struct json_object *changes, size_t index)
{
	static const char runtimes[] = "runtimes";

	if (strcmp(key_of(reply_item(changes, index)), runtimes) != 0)
		return false;
	for (size_t i = 0; i < reply_count(changes); i++)
		if (strncmp(key_of(reply_item(changes, i)), "runtimes.", sizeof(runtimes)) == 0)
			return true;
	return false;
}

static bool has_key(struct json_object *changes, const char *key)
{
	for (size_t i = 0; i < reply_count(changes); i++)
		if (strcmp(key_of(reply_item(changes, i)), key) == 0)
			return true;
	return false;
}

static void append_value(struct text *text, struct json_object *value)
{
	if (reply_is_null(value))
		text_append(text, "(none)");
	else
		reply_append(text, value);
	if (text->length == 0)
		text_append(text, "\"\"");
}

/*
 * Where two values differ only past the width that is shown, both begin shortly before the difference: the
 * byte to begin at, the same for both.
 */
static size_t choose_begin(const char *from, const char *to)
{
	size_t begin = display_common(from, to), context = 0;

	if (begin + CONTEXT_WIDTH < VALUE_WIDTH)
		return 0;
	while (begin > 0 && (context < CONTEXT_WIDTH || ((unsigned char)from[begin] & 0xc0) == 0x80)) {
		begin--;
		context++;
	}
	return begin;
}

static void append_shortened(struct text *text, const char *value, size_t begin)
{
	if (begin > 0)
		text_append(text, ELLIPSIS);
	display_cut(text, value + begin, VALUE_WIDTH);
}

static void add_change(struct table *table, struct json_object *change)
{
	_cleanup_text_ struct text from = {0}, to = {0}, line = {0};
	size_t begin;

	append_value(&from, reply_member(change, "from"));
	append_value(&to, reply_member(change, "to"));
	begin = choose_begin(text_string(&from), text_string(&to));
	append_shortened(&line, text_string(&from), begin);
	text_append(&line, " -> ");
	append_shortened(&line, text_string(&to), begin);
	table_add(table, key_of(change));
	table_add(table, from.failed || to.failed || line.failed ? "?" : line.data);
}

static bool print_section(const char *title, const struct table *table)
{
	if (table->count > 0)
		printf("%s:\n", title);
	return table_print(table, stdout);
}

/* Changes of values, but for those that another section shows. */
static bool show_changes(const char *title, struct json_object *changes, struct json_object *elsewhere)
{
	_cleanup_table_ struct table table = {.columns = 2, .indent = 2};

	for (size_t i = 0; i < reply_count(changes); i++) {
		struct json_object *change = reply_item(changes, i);

		if (!changes_is_summary(changes, i) && !has_key(elsewhere, key_of(change)))
			add_change(&table, change);
	}
	return print_section(title, &table);
}

static bool show_ignored(struct json_object *ignored)
{
	_cleanup_table_ struct table table = {.columns = 2, .indent = 2};

	for (size_t i = 0; i < reply_count(ignored); i++) {
		struct json_object *item = reply_item(ignored, i);

		table_add(&table, key_of(item));
		table_add(&table, reply_string(item, "why"));
	}
	return print_section("ignored", &table);
}

/* Ignored keys are warned about as `KEY: WHY` too. */
static bool is_ignored(struct json_object *ignored, const char *warning)
{
	for (size_t i = 0; i < reply_count(ignored); i++) {
		const char *key = key_of(reply_item(ignored, i));
		size_t length = strlen(key);

		if (strncmp(warning, key, length) == 0 && strncmp(warning + length, ": ", 2) == 0 &&
		    strcmp(warning + length + 2, reply_string(reply_item(ignored, i), "why")) == 0)
			return true;
	}
	return false;
}

static bool show_messages(const char *title, struct json_object *messages, struct json_object *ignored)
{
	_cleanup_table_ struct table table = {.columns = 1, .indent = 2};

	for (size_t i = 0; i < reply_count(messages); i++) {
		const char *message = reply_message(reply_item(messages, i));

		if (!is_ignored(ignored, message))
			table_add(&table, message);
	}
	return print_section(title, &table);
}

static void show_headline(struct json_object *report, const struct changes_view *view)
{
	unsigned long long generation = reply_uint(report, "generation");

	if (view->dry_run)
		printf("dry run: nothing was changed (generation %llu)\n", generation);
	else if (reply_bool(report, "unchanged"))
		printf("%sunchanged%s: generation %llu\n", terminal_begin(STYLE_DIM), terminal_end(STYLE_DIM),
		       generation);
	else
		printf("generation %llu (was %llu)\n", generation,
		       (unsigned long long)reply_uint(report, "previous"));
}

/* Until when the configuration has to be confirmed, and how; where the reply does not tell, from now on. */
static void show_trial(const char *deadline, uint64_t confirm_s)
{
	_cleanup_text_ struct text until = {0};

	if (*deadline) {
		moment_append(&until, deadline);
		moment_append_distance(&until, deadline);
	} else {
		moment_append_seconds(&until, time(NULL) + (time_t)confirm_s);
	}
	fputs("on trial until ", stdout);
	display_print(stdout, text_string(&until));
	puts(", then the configuration before it is live again\nconfirm with: rtregctl confirm");
}

static int show(struct json_object *report, const void *context)
{
	const struct changes_view *view = context;
	struct json_object *changed = reply_array(report, "changed"), *reset = reply_array(report, "reset");
	struct json_object *restart = reply_array(report, "needs-restart");
	struct json_object *ignored = reply_array(report, "ignored"),
	                   *trial = reply_object(report, "confirm");
	bool ok;

	if (!reply_member(report, "generation"))
		return call_lacks("generation");
	show_headline(report, view);
	if (view->dry_run && reply_count(changed) + reply_count(reset) + reply_count(restart) == 0)
		puts("no differences");
	ok = show_changes("changed", changed, reset) && show_changes("reset to default", reset, NULL) &&
	     show_changes("needs a restart", restart, NULL) && show_ignored(ignored) &&
	     show_messages("warnings", reply_array(report, "warnings"), ignored) &&
	     show_messages("commit errors", reply_array(report, "commit-errors"), NULL);
	if (view->from_body && !view->dry_run)
		puts("note: this configuration lasts until the next reload from files, or a restart");
	if (trial || (view->confirm_s > 0 && !reply_bool(report, "unchanged")))
		show_trial(reply_string(trial, "deadline"), view->confirm_s);
	else if (view->confirm_s > 0)
		puts("note: nothing has changed, and nothing waits for a confirmation");
	return ok ? EXIT_DONE : say_no_memory();
}

bool changes_is_number(const char *string)
{
	size_t digits = strspn(string, "0123456789");

	return digits > 0 && digits < 20 && !string[digits];
}

bool changes_check_generation(const char *if_generation)
{
	if (!if_generation || changes_is_number(if_generation))
		return true;
	say_error("--if-generation wants a number, not \"%s\"", if_generation);
	return false;
}

int changes_make(const struct ctl *ctl, const struct http_request *request, const char *if_generation,
                 const struct changes_view *view)
{
	_cleanup_text_ struct text if_match = {0};
	struct http_request guarded = *request;

	if (if_generation) {
		text_printf(&if_match, "\"%s\"", if_generation);
		if (if_match.failed)
			return say_no_memory();
		guarded.if_match = if_match.data;
	}
	return call_and_show(ctl, &guarded, show, view);
}
