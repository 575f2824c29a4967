/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree of values from JSON text, for tests that do not want to test the parser as well. json-c decides what
 * is JSON; integers past 64 bits are not needed here.
 */
#ifndef TEST_VALUES_TREE_H
#define TEST_VALUES_TREE_H

#include <check.h>
/* json-c has a type of the name of a function of ours. */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool
#include <string.h>

#include "values/value.h"

static inline struct value tree_of_object(struct arena *arena, struct json_object *json);

static inline struct value tree_of_array(struct arena *arena, struct json_object *json)
{
	size_t count = json_object_array_length(json);
	struct value value = {.type = VALUE_ARRAY, .count = (uint32_t)count};

	value.elements = arena_alloc_array(arena, count, sizeof(*value.elements));
	ck_assert_ptr_nonnull(value.elements);
	for (size_t i = 0; i < count; i++)
		value.elements[i] = tree_of_object(arena, json_object_array_get_idx(json, i));
	return value;
}

static inline struct value tree_of_members(struct arena *arena, struct json_object *json)
{
	struct json_object_iterator at = json_object_iter_begin(json), end = json_object_iter_end(json);
	struct value value = {.type = VALUE_OBJECT};

	value.members =
	        arena_alloc_array(arena, (size_t)json_object_object_length(json), sizeof(*value.members));
	ck_assert_ptr_nonnull(value.members);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		struct member *member = &value.members[value.count++];

		member->key = arena_strdup(arena, json_object_iter_peek_name(&at));
		member->value = tree_of_object(arena, json_object_iter_peek_value(&at));
	}
	return value;
}

static inline struct value tree_of_object(struct arena *arena, struct json_object *json)
{
	struct value value;

	switch (json_object_get_type(json)) {
	case json_type_boolean:
		return value_of_bool(json_object_get_boolean(json));
	case json_type_int:
		return value_of_int(json_object_get_int64(json));
	case json_type_double:
		value = value_of_string(arena_strdup(arena, json_object_to_json_string(json)));
		value.type = VALUE_NUMBER;
		return value;
	case json_type_string:
		return value_of_string(arena_strdup(arena, json_object_get_string(json)));
	case json_type_array:
		return tree_of_array(arena, json);
	case json_type_object:
		return tree_of_members(arena, json);
	case json_type_null:
		break;
	}
	return (struct value){.type = VALUE_NULL};
}

static inline struct value tree_of(struct arena *arena, const char *text)
{
	struct json_object *json = NULL;
	struct json_tokener *tokener = json_tokener_new();
	struct value value;

	json = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	ck_assert_msg(json_tokener_get_error(tokener) == json_tokener_success, "not JSON: %s", text);
	value = tree_of_object(arena, json);
	json_object_put(json);
	json_tokener_free(tokener);
	return value;
}

#endif
