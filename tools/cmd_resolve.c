/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl resolve: what a container with a runtime gets. */
#include <stdio.h>

#include "call.h"
#include "nearest.h"
#include "say.h"
#include "table.h"

static void add_value(struct table *table, const char *name, struct json_object *value)
{
	_cleanup_text_ struct text text = {0};

	reply_append(&text, value);
	table_add(table, name);
	table_add(table, text.failed ? "?" : text_string(&text));
}

static int show(struct json_object *root, const void *context)
{
	struct json_object *options = reply_object(root, "options");
	_cleanup_free_ const char **names = reply_keys(options);
	_cleanup_table_ struct table table = {.columns = 2};

	(void)context;
	if (!reply_member(root, "shim"))
		return call_lacks("shim");
	if (!names)
		return say_no_memory();
	add_value(&table, "name", reply_member(root, "name"));
	add_value(&table, "shim", reply_member(root, "shim"));
	for (const char **name = names; *name; name++)
		add_value(&table, *name, reply_member(options, *name));
	add_value(&table, "generation", reply_member(root, "generation"));
	return table_print(&table, stdout) ? EXIT_DONE : say_no_memory();
}

int cmd_resolve(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_text_ struct text target = {0};
	const char *name = arguments->count > 0 ? arguments->words[0] : "";
	int code;

	text_append(&target, "/v1/resolve?runtime=");
	http_append_encoded(&target, name);
	if (target.failed)
		return say_no_memory();
	code = call_get(ctl, target.data, show, NULL);
	if (code == EXIT_NOT_FOUND)
		nearest_runtime(ctl, name);
	return code;
}
