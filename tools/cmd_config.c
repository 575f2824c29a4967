/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl config: the effective configuration, and where each key comes from. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "say.h"
#include "table.h"

struct listing {
	struct table *table;
	struct json_object *origins;
	bool with_origin;
};

static void add_key(const struct listing *listing, const char *key, const char *origin,
                    struct json_object *value)
{
	_cleanup_text_ struct text text = {0};

	/* what nobody set and says nothing would hide the rest */
	if (reply_is_empty(value) && (!*origin || strcmp(origin, "default") == 0))
		return;
	reply_append(&text, value);
	table_add(listing->table, key);
	if (listing->with_origin)
		table_add(listing->table, *origin ? origin : "-");
	table_add(listing->table, text.failed ? "?" : text.length > 0 ? text.data : "\"\"");
}

/* The members of the object `name`, each with an origin of its own: `name.MEMBER`, else that of the whole. */
static int add_members(const struct listing *listing, const char *name, struct json_object *object)
{
	_cleanup_free_ const char **members = reply_keys(object);

	if (!members)
		return say_no_memory();
	for (const char **member = members; *member; member++) {
		_cleanup_text_ struct text key = {0};
		const char *origin;

		text_printf(&key, "%s.%s", name, *member);
		if (key.failed)
			return say_no_memory();
		origin = reply_string(listing->origins, key.data);
		if (!*origin)
			origin = reply_string(listing->origins, name);
		add_key(listing, key.data, origin, reply_member(object, *member));
	}
	return EXIT_DONE;
}

/* The proxies are three keys in one object; of runtimes each may come from another file. */
static bool is_listed_by_member(const struct listing *listing, const char *key, struct json_object *object)
{
	if (!object)
		return false;
	return strcmp(key, "proxies") == 0 ||
	       (listing->with_origin && strcmp(key, "runtimes") == 0 && !reply_is_empty(object));
}

static int add_keys(const struct listing *listing, struct json_object *config)
{
	_cleanup_free_ const char **keys = reply_keys(config);
	int code = EXIT_DONE;

	if (!keys)
		return say_no_memory();
	for (const char **key = keys; *key && code == EXIT_DONE; key++)
		if (is_listed_by_member(listing, *key, reply_object(config, *key)))
			code = add_members(listing, *key, reply_object(config, *key));
		else
			add_key(listing, *key, reply_string(listing->origins, *key),
			        reply_member(config, *key));
	return code;
}

static int show(struct json_object *root, const void *context)
{
	const struct arguments *arguments = context;
	_cleanup_table_ struct table table = {0};
	struct listing listing = {
	        .table = &table,
	        .origins = reply_object(root, "origin"),
	        .with_origin = arguments->options[CONFIG_ORIGIN],
	};
	int code;

	if (!reply_object(root, "config"))
		return call_lacks("config");
	table.columns = listing.with_origin ? 3 : 2;
	/* the value, which can be long, comes last: the lines of the others stay short */
	table_add(&table, "KEY");
	if (listing.with_origin)
		table_add(&table, "ORIGIN");
	table_add(&table, "VALUE");
	code = add_keys(&listing, reply_object(root, "config"));
	if (code != EXIT_DONE)
		return code;
	return table_print(&table, stdout) ? EXIT_DONE : say_no_memory();
}

int cmd_config(const struct ctl *ctl, const struct arguments *arguments)
{
	return call_get(ctl, "/v1/config", show, arguments);
}
