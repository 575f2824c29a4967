/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl history: the last reloads, newest first. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "changes.h"
#include "display.h"
#include "moment.h"
#include "say.h"
#include "table.h"

#define KEYS_WIDTH 100

/* What went wrong: the first error, and how many there are besides. */
static void append_errors(struct text *text, struct json_object *errors)
{
	text_append(text, reply_message(reply_item(errors, 0)));
	if (reply_count(errors) > 1)
		text_printf(text, " (and %zu more)", reply_count(errors) - 1);
}

static void append_keys(struct text *text, struct json_object *changed)
{
	_cleanup_text_ struct text whole = {0};

	for (size_t i = 0; i < reply_count(changed); i++) {
		if (changes_is_summary(changed, i))
			continue;
		if (whole.length > 0)
			text_append(&whole, ", ");
		text_append(&whole, reply_as_string(reply_item(changed, i)));
	}
	display_cut(text, text_string(&whole), KEYS_WIDTH);
}

static void add_entry(struct table *table, struct json_object *entry)
{
	_cleanup_text_ struct text when = {0}, generation = {0}, outcome = {0};

	moment_append(&when, reply_string(entry, "time"));
	text_printf(&generation, "%llu", (unsigned long long)reply_uint(entry, "generation"));
	if (reply_count(reply_array(entry, "errors")) > 0)
		append_errors(&outcome, reply_array(entry, "errors"));
	else
		append_keys(&outcome, reply_array(entry, "changed"));
	table_add(table, text_string(&when));
	table_add(table, text_string(&generation));
	table_add(table, reply_string(entry, "source"));
	table_add_styled(table, terminal_style_of_result(reply_string(entry, "result")),
	                 reply_string(entry, "result"), "");
	table_add(table, text_string(&outcome));
}

static int show(struct json_object *root, const void *context)
{
	static const char *const heads[] = {"TIME", "GENERATION", "SOURCE", "RESULT", "CHANGED/ERRORS", NULL};
	_cleanup_table_ struct table table = {.columns = ARRAY_SIZE(heads) - 1};
	struct json_object *entries = reply_array(root, "entries");

	(void)context;
	if (!entries)
		return call_lacks("entries");
	table_add_all(&table, heads);
	for (size_t i = 0; i < reply_count(entries); i++)
		add_entry(&table, reply_item(entries, i));
	return table_print(&table, stdout) ? EXIT_DONE : say_no_memory();
}

int cmd_history(const struct ctl *ctl, const struct arguments *arguments)
{
	(void)arguments;
	return call_get(ctl, "/v1/history", show, NULL);
}
