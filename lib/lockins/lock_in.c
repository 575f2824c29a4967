/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lockins/lock_in.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "values/parse.h"

/* The strings of a lock-in. `key` NULL: made of the others. */
static const struct member_string {
	const char *key;
	size_t offset;
	bool runtime;  /* the default runtime has it too */
	bool nullable; /* null, or not there */
} strings[] = {
        {"id", offsetof(struct rtreg_lock_in, id), false, false},
        {"root", offsetof(struct rtreg_lock_in, root), false, false},
        {"runtime", offsetof(struct rtreg_lock_in, runtime), true, false},
        {"shim", offsetof(struct rtreg_lock_in, shim), true, false},
        {NULL, offsetof(struct rtreg_lock_in, options_json), true, true},
        {"binary", offsetof(struct rtreg_lock_in, binary), true, true},
        {"wrapper", offsetof(struct rtreg_lock_in, wrapper), true, true},
        {"locked", offsetof(struct rtreg_lock_in, locked), false, false},
        {"boot-id", offsetof(struct rtreg_lock_in, boot_id), false, true},
        {NULL, offsetof(struct rtreg_lock_in, json), true, false},
};

static const char **string_of(struct rtreg_lock_in *lock_in, size_t index)
{
	return (const char **)(void *)((char *)lock_in + strings[index].offset);
}

/* --- writing --- */

void lock_in_write_runtime(struct text *text, const struct rtreg_lock_in *lock_in)
{
	json_member_string(text, "runtime", lock_in->runtime);
	json_member_string(text, "shim", lock_in->shim);
	json_member_raw(text, "options", lock_in->options_json);
	json_member_string(text, "binary", lock_in->binary);
	json_member_string(text, "wrapper", lock_in->wrapper);
}

void lock_in_write(struct text *text, const struct rtreg_lock_in *lock_in)
{
	json_open(text, '{');
	json_member_string(text, "id", lock_in->id);
	json_member_string(text, "root", lock_in->root);
	lock_in_write_runtime(text, lock_in);
	json_member_uint(text, "generation", lock_in->generation);
	json_member_string(text, "locked", lock_in->locked);
	if (lock_in->boot_id)
		json_member_string(text, "boot-id", lock_in->boot_id);
	json_close(text, '}');
}

/* --- reading --- */

static int bad(const char *what, const char *key, struct rtreg_error *error)
{
	return error_set(error, -EBADMSG, key, "it has %s \"%s\"", what, key);
}

static int read_strings(const struct value *object, bool runtime_only, struct rtreg_lock_in *lock_in,
                        struct rtreg_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		const struct value *value = strings[i].key ? value_member(object, strings[i].key) : NULL;
		const char **string = string_of(lock_in, i);

		*string = strings[i].nullable ? NULL : "";
		if (!strings[i].key || (runtime_only && !strings[i].runtime))
			continue;
		if (value && value->type == VALUE_STRING)
			*string = value->string;
		else if (!strings[i].nullable || (value && value->type != VALUE_NULL))
			return bad(value ? "another value than a string in" : "no", strings[i].key, error);
	}
	return 0;
}

/* `options` keeps the text that options_json points to. */
static int read_options(const struct value *object, struct text *options, struct rtreg_lock_in *lock_in,
                        struct rtreg_error *error)
{
	const struct value *value = value_member(object, "options");

	if (!value || value->type == VALUE_NULL)
		return 0;
	if (value->type != VALUE_OBJECT)
		return bad("another value than an object in", "options", error);
	value_write(options, value);
	if (options->failed)
		return error_no_memory(error);
	lock_in->options_json = options->data;
	return 0;
}

static int read_generation(const struct value *object, struct rtreg_lock_in *lock_in,
                           struct rtreg_error *error)
{
	const struct value *value = value_member(object, "generation");

	if (!value || value->type != VALUE_INT || value->integer < 0)
		return bad("no number in", "generation", error);
	lock_in->generation = (uint64_t)value->integer;
	return 0;
}

static int parse(const char *text, size_t length, bool runtime_only, struct rtreg_lock_in *ret,
                 struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_text_ struct text options = {0};
	struct rtreg_lock_in found = {0};
	const char *json = arena ? arena_strndup(arena, text, length) : NULL;
	struct value object;
	int r;

	if (!json)
		return error_no_memory(error);
	r = parse_json(arena, text, length, &object, error);
	if (r < 0 && r != -ENOMEM && error)
		error->code = -EBADMSG;
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	if (object.type != VALUE_OBJECT)
		return error_set(error, -EBADMSG, NULL, "it is no JSON object");
	r = read_strings(&object, runtime_only, &found, error);
	if (r == 0)
		r = read_options(&object, &options, &found, error);
	if (r == 0 && !runtime_only)
		r = read_generation(&object, &found, error);
	if (r == 0 && found.boot_id && !boot_id_is_valid(found.boot_id))
		r = bad("no boot's id in", "boot-id", error);
	if (r < 0)
		return r;
	found.json = json;
	return lock_in_copy(&found, ret) < 0 ? error_no_memory(error) : 0;
}

int lock_in_parse(const char *text, size_t length, struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	return parse(text, length, false, ret, error);
}

int lock_in_parse_runtime(const char *text, size_t length, struct rtreg_lock_in *ret,
                          struct rtreg_error *error)
{
	return parse(text, length, true, ret, error);
}

/* --- the value --- */

int lock_in_copy(const struct rtreg_lock_in *from, struct rtreg_lock_in *ret)
{
	struct rtreg_lock_in copy = *from;
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (*string_of(&copy, i))
			size += strlen(*string_of(&copy, i)) + 1;
	copy.memory = malloc(size);
	if (!copy.memory)
		return -ENOMEM;
	at = copy.memory;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		const char **string = string_of(&copy, i);
		size_t length = *string ? strlen(*string) + 1 : 0;

		if (!*string)
			continue;
		*string = memcpy(at, *string, length);
		at += length;
	}
	*ret = copy;
	return 0;
}

int lock_in_option(const struct rtreg_lock_in *lock_in, const char *name, char **ret)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *option;
	struct value options;
	char *copy = NULL;

	if (!arena)
		return -ENOMEM;
	if (lock_in->options_json) {
		if (parse_json(arena, lock_in->options_json, strlen(lock_in->options_json), &options, NULL) <
		    0)
			return -ENOMEM;
		option = value_string(value_member(&options, name));
		copy = option ? strdup(option) : NULL;
		if (option && !copy)
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

void rtreg_lock_in_fini(struct rtreg_lock_in *lock_in)
{
	if (!lock_in)
		return;
	free(lock_in->memory);
	*lock_in = (struct rtreg_lock_in){0};
}

void rtreg_lock_ins_free(struct rtreg_lock_in *lock_ins, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rtreg_lock_in_fini(&lock_ins[i]);
	free(lock_ins);
}

int rtreg_exit_code(const struct rtreg_error *error)
{
	if (error && error->code == -ENOENT)
		return 127;
	return error && error->code == -EACCES ? 126 : 125;
}
