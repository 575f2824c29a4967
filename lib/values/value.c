/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values/value.h"

#include <string.h>
#include <strings.h>

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = {
	        [VALUE_NULL] = "null",     [VALUE_BOOL] = "bool",     [VALUE_INT] = "number",
	        [VALUE_NUMBER] = "number", [VALUE_STRING] = "string", [VALUE_ARRAY] = "array",
	        [VALUE_OBJECT] = "object",
	};

	return names[type];
}

const struct value *value_member(const struct value *object, const char *key)
{
	for (uint32_t i = 0; object->type == VALUE_OBJECT && i < object->count; i++)
		if (strcmp(object->members[i].key, key) == 0)
			return &object->members[i].value;
	return NULL;
}

const struct value *value_member_nocase(const struct value *object, const char *key)
{
	for (uint32_t i = object->type == VALUE_OBJECT ? object->count : 0; i > 0; i--)
		if (strcasecmp(object->members[i - 1].key, key) == 0)
			return &object->members[i - 1].value;
	return NULL;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

bool value_is_sorted(const struct value *object)
{
	for (uint32_t i = 1; i < object->count; i++)
		if (strcmp(object->members[i - 1].key, object->members[i].key) > 0)
			return false;
	return true;
}

void value_sort(struct value *value)
{
	if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; i < value->count; i++)
			value_sort(&value->elements[i]);
	if (value->type != VALUE_OBJECT || value->count == 0)
		return;
	if (!value_is_sorted(value))
		qsort(value->members, value->count, sizeof(value->members[0]), compare_members);
	for (uint32_t i = 0; i < value->count; i++)
		value_sort(&value->members[i].value);
}

static bool equal_elements(const struct value *a, const struct value *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (!value_equal(&a->elements[i], &b->elements[i]))
			return false;
	return true;
}

static bool equal_members(const struct value *a, const struct value *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->members[i].key, b->members[i].key) != 0 ||
		    !value_equal(&a->members[i].value, &b->members[i].value))
			return false;
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_NUMBER:
	case VALUE_STRING:
		return a->count == b->count && memcmp(a->string, b->string, a->count) == 0;
	case VALUE_ARRAY:
		return a->count == b->count && equal_elements(a, b);
	case VALUE_OBJECT:
		return a->count == b->count && equal_members(a, b);
	}
	return false;
}

static bool copy_elements(struct arena *arena, const struct value *from, struct value *ret)
{
	ret->elements = arena_alloc_array(arena, from->count, sizeof(*ret->elements));
	if (!ret->elements)
		return false;
	for (uint32_t i = 0; i < from->count; i++)
		if (!value_copy(arena, &from->elements[i], &ret->elements[i]))
			return false;
	return true;
}

static bool copy_members(struct arena *arena, const struct value *from, struct value *ret)
{
	ret->members = arena_alloc_array(arena, from->count, sizeof(*ret->members));
	if (!ret->members)
		return false;
	for (uint32_t i = 0; i < from->count; i++) {
		ret->members[i].key = arena_strdup(arena, from->members[i].key);
		if (!ret->members[i].key ||
		    !value_copy(arena, &from->members[i].value, &ret->members[i].value))
			return false;
	}
	return true;
}

bool value_copy(struct arena *arena, const struct value *from, struct value *ret)
{
	*ret = *from;
	if (from->type == VALUE_STRING || from->type == VALUE_NUMBER) {
		ret->string = arena_strndup(arena, from->string, from->count);
		return ret->string != NULL;
	}
	if (from->type == VALUE_ARRAY)
		return copy_elements(arena, from, ret);
	if (from->type == VALUE_OBJECT)
		return copy_members(arena, from, ret);
	return true;
}

const char *value_string(const struct value *value)
{
	return value && value->type == VALUE_STRING ? value->string : NULL;
}

struct value value_of_string(const char *string)
{
	return (struct value){.type = VALUE_STRING, .count = (uint32_t)strlen(string), .string = string};
}

struct value value_of_int(int64_t integer)
{
	return (struct value){.type = VALUE_INT, .integer = integer};
}

struct value value_of_bool(bool boolean)
{
	return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

void value_write(struct text *text, const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL:
		json_null(text);
		break;
	case VALUE_BOOL:
		json_boolean(text, value->boolean);
		break;
	case VALUE_INT:
		json_int(text, value->integer);
		break;
	case VALUE_NUMBER:
		json_raw(text, value->string);
		break;
	case VALUE_STRING:
		json_string_n(text, value->string, value->count);
		break;
	case VALUE_ARRAY:
		json_open(text, '[');
		for (uint32_t i = 0; i < value->count; i++)
			value_write(text, &value->elements[i]);
		json_close(text, ']');
		break;
	case VALUE_OBJECT:
		json_open(text, '{');
		for (uint32_t i = 0; i < value->count; i++) {
			json_key(text, value->members[i].key);
			value_write(text, &value->members[i].value);
		}
		json_close(text, '}');
		break;
	}
}
