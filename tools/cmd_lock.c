/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl lock, unlock, locks: what containers were started with. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "call.h"
#include "display.h"
#include "moment.h"
#include "nearest.h"
#include "say.h"
#include "table.h"

#define CONTAINERS "/v1/containers"

/* --- asking */

/* The daemon takes absolute paths alone; "" is none. False: that is said. */
static bool append_root(struct text *target, const char *root)
{
	_cleanup_free_ char *here = *root && *root != '/' ? getcwd(NULL, 0) : strdup("");

	if (!here) {
		say_error("cannot tell where %s is: %s", root, strerror(errno));
		return false;
	}
	text_append(target, "?root=");
	http_append_encoded(target, here);
	if (*here)
		http_append_encoded(target, "/");
	http_append_encoded(target, root);
	return true;
}

/* `id` NULL: all of them; `root` NULL: not given. EXIT_DONE, or what went wrong is said. */
static int write_target(struct text *target, const char *id, const char *root)
{
	text_append(target, CONTAINERS);
	if (id) {
		text_append_char(target, '/');
		http_append_encoded(target, id);
	}
	if (root && !append_root(target, root))
		return EXIT_REFUSED;
	return target->failed ? say_no_memory() : EXIT_DONE;
}

static bool check_container(const char *id)
{
	if (!*id)
		say_error("CONTAINER must not be empty");
	return *id != '\0';
}

/* --- lock */

static void add_row(struct table *table, const char *name, const char *value)
{
	if (!*value)
		return;
	table_add(table, name);
	table_add(table, value);
}

static void add_generation(struct table *table, struct json_object *lock_in)
{
	_cleanup_text_ struct text number = {0};

	reply_append(&number, reply_member(lock_in, "generation"));
	table_add(table, text_string(&number));
}

static void print_headline(struct json_object *lock_in, bool created)
{
	_cleanup_text_ struct text line = {0};

	display_append(&line, reply_string(lock_in, "id"));
	text_append(&line, created ? " is locked in" : " was locked in already, ");
	if (!created) {
		moment_append(&line, reply_string(lock_in, "locked"));
		moment_append_distance(&line, reply_string(lock_in, "locked"));
	}
	puts(text_string(&line));
}

static int show_lock_in(struct json_object *lock_in, bool created)
{
	_cleanup_table_ struct table table = {.columns = 2};

	if (!*reply_string(lock_in, "runtime"))
		return call_lacks("runtime");
	add_row(&table, "runtime", reply_string(lock_in, "runtime"));
	add_row(&table, "shim", reply_string(lock_in, "shim"));
	add_row(&table, "binary", reply_string(lock_in, "binary"));
	add_row(&table, "root", reply_string(lock_in, "root"));
	table_add(&table, "generation");
	add_generation(&table, lock_in);
	print_headline(lock_in, created);
	return table_print(&table, stdout) ? EXIT_DONE : say_no_memory();
}

static int make_lock_in(const struct ctl *ctl, const char *target, const struct text *body)
{
	struct http_request request = {
	        .method = "PUT", .target = target, .body = body->data, .body_size = body->length};
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_reply_ struct json_object *root = NULL;
	int code = call(ctl, &request, &reply, &root);

	if (code != EXIT_DONE)
		return code;
	if (!ctl->json)
		return show_lock_in(root, reply.status == 201);
	call_print(&reply, stdout);
	return EXIT_DONE;
}

int cmd_lock(const struct ctl *ctl, const struct arguments *arguments)
{
	const char *runtime = arguments->options[LOCK_RUNTIME];
	_cleanup_text_ struct text target = {0}, body = {0};
	int code;

	if (!check_container(arguments->words[0]))
		return say_usage("lock");
	/* What JSON cannot hold would arrive as something else. */
	if (runtime && !utf8_is_valid(runtime)) {
		say_error("--runtime is not UTF-8: \"%s\"", runtime);
		return say_usage("lock");
	}
	json_open(&body, '{');
	json_member_string(&body, "runtime", runtime ? runtime : "");
	json_close(&body, '}');
	code = write_target(&target, arguments->words[0], arguments->options[LOCK_ROOT]);
	if (code == EXIT_DONE)
		code = body.failed ? say_no_memory() : make_lock_in(ctl, target.data, &body);
	if (code == EXIT_NOT_FOUND && runtime)
		nearest_runtime(ctl, runtime);
	return code;
}

/* --- unlock */

int cmd_unlock(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_text_ struct text target = {0}, line = {0};
	struct http_request request = {.method = "DELETE"};
	int code;

	if (!check_container(arguments->words[0]))
		return say_usage("unlock");
	code = write_target(&target, arguments->words[0], arguments->options[UNLOCK_ROOT]);
	request.target = target.data;
	if (code == EXIT_DONE)
		code = call_text(ctl, &request, &reply);
	if (code == EXIT_NOT_FOUND)
		nearest_lock_in(ctl, arguments->words[0]);
	if (code != EXIT_DONE)
		return code;
	if (ctl->json) {
		call_print(&reply, stdout);
		return EXIT_DONE;
	}
	display_append(&line, arguments->words[0]);
	text_append(&line, " is unlocked");
	puts(text_string(&line));
	return EXIT_DONE;
}

/* --- locks */

static const char *or_dash(const char *string)
{
	return *string ? string : "-";
}

static bool any_has_root(struct json_object *containers)
{
	for (size_t i = 0; i < reply_count(containers); i++)
		if (*reply_string(reply_item(containers, i), "root"))
			return true;
	return false;
}

static void add_lock_in(struct table *table, struct json_object *lock_in, bool with_root)
{
	_cleanup_text_ struct text when = {0};

	moment_append(&when, reply_string(lock_in, "locked"));
	table_add(table, reply_string(lock_in, "id"));
	table_add(table, reply_string(lock_in, "runtime"));
	add_generation(table, lock_in);
	table_add(table, text_string(&when));
	table_add(table, or_dash(reply_string(lock_in, "binary")));
	if (with_root)
		table_add(table, or_dash(reply_string(lock_in, "root")));
}

static int show_lock_ins(struct json_object *root, const void *context)
{
	static const char *const heads[] = {"CONTAINER", "RUNTIME", "GENERATION", "LOCKED", "BINARY", NULL};
	struct json_object *containers = reply_array(root, "containers");
	const bool with_root = any_has_root(containers);
	_cleanup_table_ struct table table = {.columns = ARRAY_SIZE(heads) - 1 + with_root};

	(void)context;
	if (!containers)
		return call_lacks("containers");
	table_add_all(&table, heads);
	if (with_root)
		table_add(&table, "ROOT");
	for (size_t i = 0; i < reply_count(containers); i++)
		add_lock_in(&table, reply_item(containers, i), with_root);
	return table_print(&table, stdout) ? EXIT_DONE : say_no_memory();
}

int cmd_locks(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_text_ struct text target = {0};
	int code = write_target(&target, NULL, arguments->options[LOCKS_ROOT]);

	return code == EXIT_DONE ? call_get(ctl, target.data, show_lock_ins, NULL) : code;
}
