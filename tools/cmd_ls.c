/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl ls: the runtimes, one a line. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "display.h"
#include "say.h"
#include "table.h"
#include "watch.h"

static const char *or_dash(const char *string)
{
	return *string ? string : "-";
}

/* What the runtime executes, as configured: the wrapper script is the registry's own affair. */
static const char *binary_of(struct json_object *runtime)
{
	const char *path = reply_string(runtime, "path");

	return or_dash(*path ? path : reply_string(runtime, "binary"));
}

static void add_runtime(struct table *table, const char *name, const char *standard,
                        struct json_object *runtime)
{
	_cleanup_text_ struct text line = {0};
	struct json_object *arguments = reply_array(runtime, "runtimeArgs");
	bool is_default = strcmp(name, standard) == 0;

	for (size_t i = 0; i < reply_count(arguments); i++) {
		if (i > 0)
			text_append_char(&line, ' ');
		display_quote(&line, reply_as_string(reply_item(arguments, i)));
	}
	table_add_styled(table, is_default ? STYLE_STRONG : STYLE_PLAIN, name, "");
	table_add_styled(table, STYLE_GOOD, is_default ? "*" : "", "");
	table_add(table, or_dash(reply_string(runtime, "shim")));
	table_add(table, binary_of(runtime));
	table_add(table, line.failed ? "?" : text_string(&line));
}

static int print(struct json_object *root, FILE *out)
{
	static const char *const heads[] = {"NAME", "DEFAULT", "SHIM", "BINARY", "ARGUMENTS", NULL};
	struct json_object *runtimes = reply_object(root, "runtimes");
	_cleanup_free_ const char **names = reply_keys(runtimes);
	_cleanup_table_ struct table table = {.columns = ARRAY_SIZE(heads) - 1};

	if (!runtimes)
		return call_lacks("runtimes");
	if (!names)
		return say_no_memory();
	table_add_all(&table, heads);
	for (const char **name = names; *name; name++)
		add_runtime(&table, *name, reply_string(root, "default"), reply_member(runtimes, *name));
	return table_print(&table, out) ? EXIT_DONE : say_no_memory();
}

static int show(struct json_object *root, const void *context)
{
	(void)context;
	return print(root, stdout);
}

int cmd_ls(const struct ctl *ctl, const struct arguments *arguments)
{
	if (arguments->options[WATCH])
		return watch(ctl, "/v1/runtimes", print);
	return call_get(ctl, "/v1/runtimes", show, NULL);
}
