/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/own_fragment.h"

#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "bytes/encoding.h"
#include "bytes/source.h"
#include "values/mask.h"
#include "values/parse.h"

#define RUNTIMES        "runtimes"
#define DEFAULT_RUNTIME "default-runtime"

/* --- reading --- */

static int parse(struct arena *arena, const char *bytes, size_t size, struct value *ret,
                 struct rtreg_error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = encoding_to_utf8(bytes, size, &text, &length, error);

	return r < 0 ? r : parse_json(arena, text, length, ret, error);
}

/* Puts `what` in front of an error's message. */
static int explain(const char *what, int code, const struct rtreg_error *why, struct rtreg_error *error)
{
	return code == -ENOMEM ? error_no_memory(error)
	                       : error_set(error, code, why->where, "%s: %s", what, why->message);
}

int own_fragment_read(struct arena *arena, const char *path, struct value *ret, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};
	_cleanup_free_ char *bytes = NULL;
	struct value value = {.type = VALUE_NULL};
	size_t size = 0;
	int r = source_read(path, &bytes, &size, &own);

	if (r < 0 && r != -ENOENT) {
		error_move(error, &own);
		return r;
	}
	if (r == 0)
		r = parse(arena, bytes, size, &value, &own);
	if (r < 0 && r != -ENOENT)
		return explain(path, r, &own, error);
	if (value.type == VALUE_NULL)
		value = (struct value){.type = VALUE_OBJECT};
	if (value.type != VALUE_OBJECT)
		return error_set(error, -EINVAL, path,
		                 "%s: invalid JSON: the top level must be an object, found %s", path,
		                 value_type_name(value.type));
	*ret = value;
	return 0;
}

/* --- editing --- */

static int put_member(struct arena *arena, struct value *object, const char *key, const struct value *value)
{
	struct value *old = (struct value *)value_member(object, key);
	struct member *members;

	if (old) {
		*old = *value;
		return 0;
	}
	members = arena_alloc_array(arena, (size_t)object->count + 1, sizeof(*members));
	if (!members)
		return -ENOMEM;
	if (object->count > 0)
		memcpy(members, object->members, object->count * sizeof(*members));
	members[object->count] = (struct member){.key = key, .value = *value};
	object->members = members;
	object->count++;
	return 0;
}

static bool remove_member(struct value *object, const char *key)
{
	for (uint32_t i = 0; i < object->count; i++) {
		if (strcmp(object->members[i].key, key) != 0)
			continue;
		object->count--;
		memmove(&object->members[i], &object->members[i + 1],
		        (object->count - i) * sizeof(object->members[0]));
		return true;
	}
	return false;
}

/* What an edit works on. */
struct edit {
	struct arena *arena;
	const char *path;
	const struct rtreg_change *change;
	struct value *object;
};

/* The runtimes of the drop-in, made if they are missing. */
static int runtimes(const struct edit *edit, struct value **ret, struct rtreg_error *error)
{
	static const struct value none = {.type = VALUE_OBJECT};
	const struct value *value = value_member(edit->object, RUNTIMES);

	if ((!value || value->type == VALUE_NULL) &&
	    put_member(edit->arena, edit->object, RUNTIMES, &none) < 0)
		return error_no_memory(error);
	value = value_member(edit->object, RUNTIMES);
	if (value->type != VALUE_OBJECT) {
		error_set(error, -EINVAL, RUNTIMES, "%s: cannot unmarshal %s into " RUNTIMES, edit->path,
		          value_type_name(value->type));
		return -EINVAL;
	}
	*ret = (struct value *)value;
	return 0;
}

static int read_entry(const struct edit *edit, struct value *ret, struct rtreg_error *error)
{
	const struct rtreg_change *change = edit->change;
	_cleanup_error_ struct rtreg_error own = {0};
	_cleanup_text_ struct text what = {0};
	int r = parse(edit->arena, change->entry ? change->entry : "", change->entry ? change->entry_size : 0,
	              ret, &own);

	text_append(&what, "runtime ");
	mask_name(&what, change->name);
	if (what.failed)
		return error_no_memory(error);
	if (r < 0)
		return explain(text_string(&what), r, &own, error);
	if (ret->type != VALUE_OBJECT)
		return error_set(error, -EINVAL, RUNTIMES, "%s: its entry must be a JSON object, found %s",
		                 text_string(&what), value_type_name(ret->type));
	return 0;
}

static int put_runtime(const struct edit *edit, struct rtreg_error *error)
{
	struct value entry = {0}, *object;
	const char *name;
	int r = read_entry(edit, &entry, error);

	if (r < 0)
		return r;
	r = runtimes(edit, &object, error);
	if (r < 0)
		return r;
	name = arena_strdup(edit->arena, edit->change->name);
	if (!name || put_member(edit->arena, object, name, &entry) < 0)
		return error_no_memory(error);
	return 0;
}

static int remove_runtime(const struct edit *edit, struct rtreg_error *error)
{
	struct value *object;
	int r = runtimes(edit, &object, error);

	if (r < 0)
		return r;
	if (!remove_member(object, edit->change->name))
		return -ESRCH;
	if (object->count == 0)
		remove_member(edit->object, RUNTIMES);
	return 0;
}

static int set_default(const struct edit *edit, struct rtreg_error *error)
{
	const char *name = arena_strdup(edit->arena, edit->change->name);
	struct value value;

	if (!name)
		return error_no_memory(error);
	if (name[0] == '\0') {
		remove_member(edit->object, DEFAULT_RUNTIME);
		return 0;
	}
	value = value_of_string(name);
	if (put_member(edit->arena, edit->object, DEFAULT_RUNTIME, &value) < 0)
		return error_no_memory(error);
	return 0;
}

int own_fragment_edit(struct arena *arena, const char *path, const struct rtreg_change *change,
                      struct value *object, struct rtreg_error *error)
{
	static int (*const edits[])(const struct edit *edit, struct rtreg_error *error) = {
	        [RTREG_PUT_RUNTIME] = put_runtime,
	        [RTREG_REMOVE_RUNTIME] = remove_runtime,
	        [RTREG_SET_DEFAULT] = set_default,
	};
	const struct edit edit = {.arena = arena, .path = path, .change = change, .object = object};

	return edits[change->kind](&edit, error);
}

int own_fragment_default(struct arena *arena, const struct rtreg_change *change, const char **ret,
                         struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};
	const struct value *name = NULL;
	struct value entry;
	int r = parse(arena, change->entry, change->entry_size, &entry, &own);

	if (r < 0)
		return explain(DEFAULT_RUNTIME, r, &own, error);
	if (entry.type == VALUE_OBJECT && entry.count == 1)
		name = value_member(&entry, "runtime");
	if (!name || name->type != VALUE_STRING)
		return error_set(error, -EINVAL, DEFAULT_RUNTIME,
		                 DEFAULT_RUNTIME ": want an object with the member \"runtime\", a string");
	*ret = value_string(name);
	return 0;
}

/* --- writing --- */

static void new_line(struct text *text, int depth)
{
	text_append_char(text, '\n');
	for (int i = 0; i < depth; i++)
		text_append_char(text, '\t');
}

/* A person may have to read the file: `json`, which has no white space, with one member to a line. */
static void indent(struct text *text, const char *json)
{
	int depth = 0;

	for (const char *c = json; *c; c++) {
		const char *end = c;

		if (*c == '"') {
			for (end++; *end != '"'; end++)
				end += *end == '\\';
			text_append_n(text, c, (size_t)(end - c) + 1);
			c = end;
			continue;
		}
		if ((*c == '}' || *c == ']') && depth-- > 0 && c[-1] != '{' && c[-1] != '[')
			new_line(text, depth);
		text_append_char(text, *c);
		if ((*c == '{' || *c == '[') && ++depth > 0 && c[1] != '}' && c[1] != ']')
			new_line(text, depth);
		if (*c == ',')
			new_line(text, depth);
		if (*c == ':')
			text_append_char(text, ' ');
	}
	text_append_char(text, '\n');
}

char *own_fragment_text(const struct value *object, size_t *ret_length)
{
	_cleanup_text_ struct text json = {0};
	struct text text = {0};

	value_write(&json, object);
	if (!json.failed)
		indent(&text, text_string(&json));
	text.failed |= json.failed;
	*ret_length = text.length;
	return text_steal(&text);
}
