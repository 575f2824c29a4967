/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl runtime add, runtime rm, set-default: changes that last, each in a file of rtregd's own. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "changes.h"
#include "nearest.h"
#include "say.h"

/* What JSON cannot hold would arrive as something else. */
static bool check_utf8(const char *what, const char *value)
{
	size_t length = strlen(value);

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_sequence(value + at, length - at);
		if (size > 0)
			continue;
		say_error("%s is not UTF-8: \"%s\"", what, value);
		return false;
	}
	return true;
}

static bool check_name(const char *name)
{
	if (*name)
		return check_utf8("NAME", name);
	say_error("NAME must not be empty");
	return false;
}

/* -?(0|[1-9][0-9]*), within 64 bits */
static bool is_integer(const char *value)
{
	const char *digits = value + (*value == '-');
	size_t length = strspn(digits, "0123456789");
	char *end;

	if (length == 0 || digits[length] || (*digits == '0' && length > 1))
		return false;
	errno = 0;
	(void)strtoimax(value, &end, 10);
	return errno == 0;
}

/* False: it begins as JSON and is none, which is said. */
static bool append_option_value(struct text *body, const char *name, const char *value)
{
	_cleanup_reply_ struct json_object *parsed = NULL;

	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0 || is_integer(value)) {
		json_raw(body, value);
		return true;
	}
	if (!*value || !strchr("{[\"", *value)) {
		json_string(body, value);
		return true;
	}
	parsed = reply_parse(value, strlen(value));
	if (!parsed) {
		say_error("the value of option \"%s\" is not JSON: %s", name, value);
		return false;
	}
	json_raw(body, value);
	return true;
}

static bool append_option(struct text *body, const struct arguments *arguments, const char *option, size_t at)
{
	const char *equals = strchr(option, '=');
	_cleanup_free_ char *name = strndup(option, equals ? (size_t)(equals - option) : 0);

	if (!name) {
		body->failed = true;
		return true;
	}
	if (!equals || !*name) {
		say_error("--option wants K=V, not \"%s\"", option);
		return false;
	}
	if (arguments_have_key(arguments, RUNTIME_OPTION, name, strlen(name), at)) {
		say_error("option \"%s\" is given twice", name);
		return false;
	}
	json_key(body, name);
	return check_utf8("--option", option) && append_option_value(body, name, equals + 1);
}

static bool append_options(struct text *body, const struct arguments *arguments)
{
	const char *option;
	size_t at = 0;

	json_key(body, "options");
	json_open(body, '{');
	while ((option = arguments_next(arguments, RUNTIME_OPTION, &at)))
		if (!append_option(body, arguments, option, at))
			return false;
	json_close(body, '}');
	return true;
}

static bool append_args(struct text *body, const struct arguments *arguments)
{
	const char *arg;
	size_t at = 0;

	json_key(body, "runtimeArgs");
	json_open(body, '[');
	while ((arg = arguments_next(arguments, RUNTIME_ARG, &at))) {
		if (!check_utf8("--arg", arg))
			return false;
		json_string(body, arg);
	}
	json_close(body, ']');
	return true;
}

static bool check_forms(const struct arguments *arguments)
{
	const char *path = arguments->options[RUNTIME_PATH], *type = arguments->options[RUNTIME_TYPE];

	if (!path == !type)
		say_error("runtime add wants either --path or --type");
	else if (type && arguments->options[RUNTIME_ARG])
		say_error("--arg goes with --path");
	else if (path && arguments->options[RUNTIME_OPTION])
		say_error("--option goes with --type");
	else
		return true;
	return false;
}

/* The entry as daemon.json has it. False: what is wrong is said. */
static bool write_entry(struct text *body, const struct arguments *arguments)
{
	const char *path = arguments->options[RUNTIME_PATH], *type = arguments->options[RUNTIME_TYPE];
	bool ok = true;

	if (!check_forms(arguments) || !check_utf8(path ? "--path" : "--type", path ? path : type))
		return false;
	json_open(body, '{');
	json_member_string(body, path ? "path" : "runtimeType", path ? path : type);
	if (arguments->options[RUNTIME_ARG])
		ok = append_args(body, arguments);
	else if (arguments->options[RUNTIME_OPTION])
		ok = append_options(body, arguments);
	json_close(body, '}');
	return ok;
}

static int send_change(const struct ctl *ctl, const char *method, const struct text *target,
                       const struct text *body, const char *if_generation)
{
	struct changes_view view = {0};
	struct http_request request = {
	        .method = method, .target = target->data, .body = body->data, .body_size = body->length};

	if (target->failed || body->failed)
		return say_no_memory();
	return changes_make(ctl, &request, if_generation, &view);
}

static void append_runtime(struct text *target, const char *name)
{
	text_append(target, "/v1/runtimes/");
	http_append_encoded(target, name);
}

int cmd_runtime_add(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_text_ struct text target = {0}, body = {0};
	const char *if_generation = arguments->options[RUNTIME_IF_GENERATION];

	if (!changes_check_generation(if_generation) || !check_name(arguments->words[0]) ||
	    !write_entry(&body, arguments))
		return say_usage("runtime add");
	append_runtime(&target, arguments->words[0]);
	return send_change(ctl, "PUT", &target, &body, if_generation);
}

int cmd_runtime_rm(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_text_ struct text target = {0};
	const struct text no_body = {0};
	const char *if_generation = arguments->options[RUNTIME_IF_GENERATION];
	int code;

	if (!changes_check_generation(if_generation) || !check_name(arguments->words[0]))
		return say_usage("runtime rm");
	append_runtime(&target, arguments->words[0]);
	code = send_change(ctl, "DELETE", &target, &no_body, if_generation);
	if (code == EXIT_NOT_FOUND)
		nearest_runtime(ctl, arguments->words[0]);
	return code;
}

int cmd_set_default(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_text_ struct text target = {0}, body = {0};
	const char *if_generation = arguments->options[SET_DEFAULT_IF_GENERATION];
	int code;

	if (!changes_check_generation(if_generation) || !check_utf8("NAME", arguments->words[0]))
		return say_usage("set-default");
	text_append(&target, "/v1/default-runtime");
	json_open(&body, '{');
	json_member_string(&body, "runtime", arguments->words[0]);
	json_close(&body, '}');
	code = send_change(ctl, "PUT", &target, &body, if_generation);
	if (code == EXIT_NOT_FOUND)
		nearest_runtime(ctl, arguments->words[0]);
	return code;
}
