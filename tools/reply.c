/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reply.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 128 /* a configuration's own 32, and the reply around it */

static void tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

struct json_object *reply_parse(const char *text, size_t length)
{
	_cleanup_(tokener_freep) struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root;

	if (!tokener || length >= INT_MAX)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* the NUL behind the text tells the tokener that a number has ended */
	root = json_tokener_parse_ex(tokener, text, (int)length + 1);
	if (json_tokener_get_error(tokener) == json_tokener_success)
		return root;
	json_object_put(root);
	return NULL;
}

void reply_free(struct json_object *root)
{
	json_object_put(root);
}

struct json_object *reply_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

struct json_object *reply_object(struct json_object *object, const char *key)
{
	struct json_object *value = reply_member(object, key);

	return json_object_is_type(value, json_type_object) ? value : NULL;
}

struct json_object *reply_array(struct json_object *object, const char *key)
{
	struct json_object *value = reply_member(object, key);

	return json_object_is_type(value, json_type_array) ? value : NULL;
}

size_t reply_count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *reply_item(struct json_object *array, size_t index)
{
	return index < reply_count(array) ? json_object_array_get_idx(array, index) : NULL;
}

const char *reply_as_string(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

const char *reply_string(struct json_object *object, const char *key)
{
	return reply_as_string(reply_member(object, key));
}

uint64_t reply_uint(struct json_object *object, const char *key)
{
	struct json_object *value = reply_member(object, key);

	if (json_object_is_type(value, json_type_double)) {
		double number = json_object_get_double(value);

		return number > 0 && number < 1e18 ? (uint64_t)number : 0;
	}
	return json_object_is_type(value, json_type_int) ? json_object_get_uint64(value) : 0;
}

bool reply_bool(struct json_object *object, const char *key)
{
	struct json_object *value = reply_member(object, key);

	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

bool reply_is_null(struct json_object *value)
{
	return json_object_is_type(value, json_type_null);
}

bool reply_is_empty(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return true;
	case json_type_boolean:
		return !json_object_get_boolean(value);
	case json_type_string:
		return json_object_get_string_len(value) == 0;
	case json_type_array:
		return json_object_array_length(value) == 0;
	case json_type_object:
		return json_object_object_length(value) == 0;
	default:
		return false;
	}
}

void reply_append(struct text *text, struct json_object *value)
{
	const char *json;

	if (json_object_is_type(value, json_type_string)) {
		text_append(text, json_object_get_string(value));
		return;
	}
	json = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (json)
		text_append(text, json);
	else
		text->failed = true;
}

const char *reply_message(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value)
	                                                    : reply_string(value, "message");
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **reply_keys(struct json_object *object)
{
	size_t count = 0, size = 0;
	const char **keys;

	if (json_object_is_type(object, json_type_object))
		size = (size_t)json_object_object_length(object);
	keys = calloc(size + 1, sizeof(*keys));
	if (!keys || size == 0)
		return keys;
	for (struct json_object_iterator at = json_object_iter_begin(object),
	                                 end = json_object_iter_end(object);
	     !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		keys[count++] = json_object_iter_peek_name(&at);
	qsort(keys, count, sizeof(*keys), compare_keys);
	return keys;
}
