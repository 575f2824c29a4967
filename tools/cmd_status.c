/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl status: how the daemon is doing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "moment.h"
#include "say.h"
#include "table.h"
#include "watch.h"

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

static void append_when(struct text *text, const char *when)
{
	moment_append(text, when);
	moment_append_distance(text, when);
}

/* Both lines tell the same seconds, unless the clock was set, or the machine slept, in between. */
static void add_times(struct table *table, struct json_object *root)
{
	_cleanup_text_ struct text value = {0};
	const char *started = reply_string(root, "started");
	uint64_t uptime = reply_uint(root, "uptime");
	int64_t age;

	if (moment_age(started, &age) && llabs(age - (int64_t)uptime) > 2) {
		append_when(&value, started);
		add_line(table, "started", &value);
	} else if (*started) {
		moment_append(&value, started);
		text_append(&value, " (");
		moment_append_duration(&value, uptime);
		text_append(&value, " ago)");
		add_line(table, "started", &value);
	}
	moment_append_duration(&value, uptime);
	add_line(table, "uptime", &value);
}

static void add_errors(struct table *table, struct json_object *errors)
{
	for (size_t i = 0; i < reply_count(errors); i++) {
		table_add(table, i == 0 ? "errors" : "");
		table_add(table, reply_message(reply_item(errors, i)));
	}
}

static void add_reload(struct table *table, struct json_object *reload)
{
	_cleanup_text_ struct text rest = {0};
	const char *result = reply_string(reload, "result"), *when = reply_string(reload, "time");

	if (*when) {
		text_append(&rest, ", ");
		append_when(&rest, when);
	}
	table_add(table, "last reload");
	table_add_styled(table, terminal_style_of_result(result), *result ? result : "none yet",
	                 text_string(&rest));
	add_errors(table, reply_array(reload, "errors"));
}

static bool same_messages(struct json_object *a, struct json_object *b)
{
	if (reply_count(a) != reply_count(b))
		return false;
	for (size_t i = 0; i < reply_count(a); i++)
		if (strcmp(reply_message(reply_item(a, i)), reply_message(reply_item(b, i))) != 0)
			return false;
	return true;
}

/* The last configuration that was refused, and where it is kept. */
static void add_rejected(struct table *table, struct json_object *rejected, struct json_object *reload)
{
	_cleanup_text_ struct text value = {0};
	struct json_object *errors = reply_array(rejected, "errors");
	const char *source = reply_string(rejected, "source"), *folder = reply_string(rejected, "directory");

	if (!rejected)
		return;
	append_when(&value, reply_string(rejected, "time"));
	if (*source)
		text_printf(&value, ", source %s", source);
	table_add(table, "rejected");
	table_add_styled(table, STYLE_BAD, text_string(&value), "");
	/* mostly it is the last reload, whose errors stand there */
	if (!same_messages(errors, reply_array(reload, "errors")))
		add_errors(table, errors);
	if (*folder) {
		table_add(table, "kept in");
		table_add(table, folder);
	}
}

static void add_trial(struct table *table, struct json_object *confirm)
{
	_cleanup_text_ struct text value = {0};

	if (!confirm)
		return;
	text_append(&value, "until ");
	append_when(&value, reply_string(confirm, "deadline"));
	text_printf(&value, ", then back to generation %llu; confirm with: rtregctl confirm",
	            (unsigned long long)reply_uint(confirm, "generation"));
	table_add(table, "on trial");
	table_add_styled(table, STYLE_STRONG, text_string(&value), "");
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

/* Whether rtregd looks after its files. */
static void add_watch(struct table *table, struct json_object *watched)
{
	const char *error = reply_string(watched, "error");

	if (!watched)
		return;
	table_add(table, "watch");
	if (*error)
		table_add_styled(table, STYLE_BAD, error, "");
	else
		table_add(table, reply_bool(watched, "enabled") ? "on" : "off");
}

static int print(struct json_object *root, FILE *out)
{
	_cleanup_table_ struct table table = {.columns = 2};

	if (!reply_member(root, "generation"))
		return call_lacks("generation");
	add_member(&table, root, "generation");
	add_member(&table, root, "pid");
	add_member(&table, root, "version");
	add_times(&table, root);
	add_trial(&table, reply_object(root, "confirm"));
	add_reload(&table, reply_object(root, "reload"));
	add_rejected(&table, reply_object(root, "rejected"), reply_object(root, "reload"));
	add_pinned(&table, reply_array(root, "pinned"));
	add_member(&table, root, "lock-ins");
	add_member(&table, root, "runtimes");
	add_member(&table, root, "threads");
	add_watch(&table, reply_object(root, "watch"));
	return table_print(&table, out) ? EXIT_DONE : say_no_memory();
}

static int show(struct json_object *root, const void *context)
{
	(void)context;
	return print(root, stdout);
}

int cmd_status(const struct ctl *ctl, const struct arguments *arguments)
{
	if (arguments->options[WATCH])
		return watch(ctl, "/v1/status", print);
	return call_get(ctl, "/v1/status", show, NULL);
}
