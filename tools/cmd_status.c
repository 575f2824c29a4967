/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl status: how the daemon is doing. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "moment.h"
#include "say.h"
#include "table.h"

/* Adds a line and empties `value`. */
static void add_line(struct table *table, const char *name, struct text *value)
{
	table_add(table, name);
	table_add(table, value->failed ? "?" : text_string(value));
	text_fini(value);
}

static void add_member(struct table *table, struct json_object *root, const char *name)
{
	_cleanup_text_ struct text value = {0};
	struct json_object *member = reply_member(root, name);

	if (!member)
		return;
	reply_append(&value, member);
	add_line(table, name, &value);
}

static void add_times(struct table *table, struct json_object *root)
{
	_cleanup_text_ struct text value = {0};
	const char *started = reply_string(root, "started");

	if (*started) {
		moment_append(&value, started);
		moment_append_ago(&value, started, time(NULL));
		add_line(table, "started", &value);
	}
	moment_append_duration(&value, reply_uint(root, "uptime"));
	add_line(table, "uptime", &value);
}

static void add_reload(struct table *table, struct json_object *reload)
{
	_cleanup_text_ struct text value = {0};
	const char *result = reply_string(reload, "result"), *when = reply_string(reload, "time");
	struct json_object *errors = reply_array(reload, "errors");

	text_append(&value, *result ? result : "none yet");
	if (*when) {
		text_append(&value, ", ");
		moment_append(&value, when);
		moment_append_ago(&value, when, time(NULL));
	}
	add_line(table, "last reload", &value);
	for (size_t i = 0; i < reply_count(errors); i++) {
		text_append(&value, reply_message(reply_item(errors, i)));
		add_line(table, i == 0 ? "errors" : "", &value);
	}
}

static void add_pinned(struct table *table, struct json_object *pinned)
{
	_cleanup_text_ struct text value = {0};

	for (size_t i = 0; i < reply_count(pinned); i++) {
		struct json_object *item = reply_item(pinned, i);

		text_printf(&value, "%s%llu (%llu %s)", i > 0 ? ", " : "",
		            (unsigned long long)reply_uint(item, "generation"),
		            (unsigned long long)reply_uint(item, "count"),
		            reply_uint(item, "count") == 1 ? "pin" : "pins");
	}
	if (value.length == 0)
		text_append(&value, "none");
	add_line(table, "pinned generations", &value);
}

static int show(struct json_object *root, const void *context)
{
	_cleanup_table_ struct table table = {.columns = 2};

	(void)context;
	if (!reply_member(root, "generation"))
		return call_lacks("generation");
	add_member(&table, root, "generation");
	add_member(&table, root, "pid");
	add_member(&table, root, "version");
	add_times(&table, root);
	add_reload(&table, reply_object(root, "reload"));
	add_pinned(&table, reply_array(root, "pinned"));
	add_member(&table, root, "lock-ins");
	add_member(&table, root, "runtimes");
	add_member(&table, root, "threads");
	return table_print(&table, stdout) ? EXIT_DONE : say_no_memory();
}

int cmd_status(const struct ctl *ctl, const struct arguments *arguments)
{
	(void)arguments;
	return call_get(ctl, "/v1/status", show, NULL);
}
