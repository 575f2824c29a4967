/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json-c builds the values of text that bytes/scan has proved to be strict JSON; they are copied into the
 * arena. The members of large objects go through it one by one. The only file of the library that includes json-c.
 *
 * Numbers. json-c keeps the text of a number with a fraction or exponent, but makes an integer past 64 bits
 * the nearest one that fits. So each such integer gets a marker before parsing, an exponent of four zeros
 * that changes nothing, and loses it again after it. A number that has an exponent of four or more zeros by
 * itself gets one more, and loses that.
 */
#include "values/parse.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "base/problems.h"
#include "bytes/scan.h"

#define MARKER "e0000"

/*
 * The next number at or after `at` that is outside strings; `end` if there is none. The text is proved JSON.
 */
static const char *find_number(const char *at, const char *end)
{
	while (at < end && *at != '-' && (*at < '0' || *at > '9')) {
		if (*at++ != '"')
			continue;
		while (*at != '"')
			at += *at == '\\' ? 2 : 1;
		at++;
	}
	return at;
}

static size_t number_length(const char *at, const char *end)
{
	const char *begin = at;

	while (at < end && *at != '\0' && strchr("+-.0123456789Ee", *at))
		at++;
	return (size_t)(at - begin);
}

static bool is_wide_integer(const char *number, size_t length)
{
	bool negative = number[0] == '-';
	int64_t value = 0;

	for (size_t i = negative; i < length; i++) {
		int64_t digit = number[i] - '0';

		if (digit < 0 || digit > 9)
			return false; /* a fraction or an exponent: json-c keeps the text */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    (negative ? __builtin_sub_overflow(value, digit, &value)
		              : __builtin_add_overflow(value, digit, &value)))
			return !memchr(number, '.', length) && !memchr(number, 'e', length) &&
			       !memchr(number, 'E', length);
	}
	return false;
}

/* How many zeros stand at the end of a number, behind its exponent's e; 0 if something else does. */
static size_t exponent_zeros(const char *number, size_t length)
{
	size_t zeros = 0;

	while (zeros < length && number[length - 1 - zeros] == '0')
		zeros++;
	return zeros < length && number[length - 1 - zeros] == 'e' ? zeros : 0;
}

/* What to put behind a number: the marker, one more zero, or nothing. */
static const char *marker_for(const char *number, size_t length)
{
	if (is_wide_integer(number, length))
		return MARKER;
	return exponent_zeros(number, length) >= strlen(MARKER) - 1 ? "0" : "";
}

/* The length of a number's text without what marker_for() put behind it. */
static size_t unmarked_length(const char *number, size_t length)
{
	size_t zeros = exponent_zeros(number, length), marker = strlen(MARKER);

	if (zeros == marker - 1)
		return length - marker;
	return zeros >= marker ? length - 1 : length;
}

/* Copies the text with markers where they are needed; an empty buffer if none is. */
static int mark_numbers(const char *text, size_t length, struct text *ret)
{
	const char *end = text + length, *copied = text;

	for (const char *at = find_number(text, end); at < end; at = find_number(at, end)) {
		size_t size = number_length(at, end);

		const char *marker = marker_for(at, size);

		if (*marker) {
			text_append_n(ret, copied, (size_t)(at - copied) + size);
			text_append(ret, marker);
			copied = at + size;
		}
		at += size;
	}
	if (ret->length > 0)
		text_append_n(ret, copied, (size_t)(end - copied));
	return ret->failed ? -ENOMEM : 0;
}

/* --- from json-c's objects to values --- */

#define RECENT 256 /* places for strings that may come again */

struct builder {
	struct arena *arena;
	struct json_tokener *tokener;
	const char *at, *end;
	const char *recent[RECENT]; /* in the arena, by hash */
};

/* NULL without memory. Most runtimes have the keys of the last one, and often its path: those are there once. */
static const char *keep_string(struct builder *builder, const char *string, size_t length)
{
	const char **recent = &builder->recent[rtreg_hash(string, length) % RECENT];
	const char *copy;

	if (*recent && strncmp(*recent, string, length) == 0 && (*recent)[length] == '\0')
		return *recent;
	copy = arena_strndup(builder->arena, string, length);
	if (copy)
		*recent = copy;
	return copy;
}

static bool convert(struct builder *builder, struct json_object *from, struct value *ret);

static bool convert_string(struct builder *builder, const char *string, size_t length, enum value_type type,
                           struct value *ret)
{
	*ret = (struct value){
	        .type = type, .count = (uint32_t)length, .string = keep_string(builder, string, length)};
	return ret->string != NULL;
}

static bool convert_number(struct builder *builder, struct json_object *from, struct value *ret)
{
	const char *text = json_object_to_json_string_ext(from, JSON_C_TO_STRING_PLAIN);

	if (!text)
		return false;
	return convert_string(builder, text, unmarked_length(text, strlen(text)), VALUE_NUMBER, ret);
}

static bool convert_array(struct builder *builder, struct json_object *from, struct value *ret)
{
	size_t count = json_object_array_length(from);

	*ret = (struct value){.type = VALUE_ARRAY, .count = (uint32_t)count};
	ret->elements = arena_alloc_array(builder->arena, count, sizeof(*ret->elements));
	if (!ret->elements)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!convert(builder, json_object_array_get_idx(from, i), &ret->elements[i]))
			return false;
	return true;
}

static bool convert_object(struct builder *builder, struct json_object *from, struct value *ret)
{
	size_t count = (size_t)json_object_object_length(from), at = 0;
	struct json_object_iterator i = json_object_iter_begin(from), end = json_object_iter_end(from);

	*ret = (struct value){.type = VALUE_OBJECT, .count = (uint32_t)count};
	ret->members = arena_alloc_array(builder->arena, count, sizeof(*ret->members));
	if (!ret->members)
		return false;
	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i), at++) {
		const char *key = json_object_iter_peek_name(&i);

		ret->members[at].key = keep_string(builder, key, strlen(key));
		if (!ret->members[at].key ||
		    !convert(builder, json_object_iter_peek_value(&i), &ret->members[at].value))
			return false;
	}
	return true;
}

/* False without memory. The depth is at most SCAN_MAX_DEPTH, which bounds the recursion. */
static bool convert(struct builder *builder, struct json_object *from, struct value *ret)
{
	switch (json_object_get_type(from)) {
	case json_type_null:
		*ret = (struct value){.type = VALUE_NULL};
		return true;
	case json_type_boolean:
		*ret = value_of_bool(json_object_get_boolean(from));
		return true;
	case json_type_int:
		*ret = value_of_int(json_object_get_int64(from));
		return true;
	case json_type_double:
		return convert_number(builder, from, ret);
	case json_type_string:
		return convert_string(builder, json_object_get_string(from),
		                      (size_t)json_object_get_string_len(from), VALUE_STRING, ret);
	case json_type_array:
		return convert_array(builder, from, ret);
	case json_type_object:
		return convert_object(builder, from, ret);
	}
	return false;
}

/* --- parsing --- */

#define SPLIT_DEPTH \
	2 /* the top level's object, and those in it: `runtimes` may have a hundred thousand members */

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

static void free_tokener(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

/* The value at hand, by json-c. */
static int build_whole(struct builder *builder, struct value *ret, struct rtreg_error *error)
{
	struct json_tokener *tokener = builder->tokener;
	_cleanup_(put_object) struct json_object *root = NULL;

	root = json_tokener_parse_ex(tokener, builder->at, (int)(builder->end - builder->at));
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		root = json_tokener_parse_ex(tokener, "", 1); /* only a NUL ends a number at the top */
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return error_set(error, -EINVAL, NULL, "invalid JSON: %s",
		                 json_tokener_error_desc(json_tokener_get_error(tokener)));
	builder->at += json_tokener_get_parse_end(tokener);
	return convert(builder, root, ret) ? 0 : error_no_memory(error);
}

/* The members of an object that is built one by one. */
struct members {
	struct member *items;
	size_t count, capacity;
	struct lh_table *indexes; /* by key: the index + 1 */
};

static void members_fini(struct members *members)
{
	free(members->items);
	if (members->indexes)
		lh_table_free(members->indexes);
}

/* The last of the same key wins, in the place of the first. False without memory. */
static bool members_put(struct members *members, const struct member *member)
{
	size_t capacity = members->capacity ? 2 * members->capacity : 16;
	void *index;

	if (lh_table_lookup_ex(members->indexes, member->key, &index)) {
		members->items[(uintptr_t)index - 1] = *member;
		return true;
	}
	if (members->count == members->capacity) {
		struct member *items = reallocarray(members->items, capacity, sizeof(*items));

		if (!items)
			return false;
		members->items = items;
		members->capacity = capacity;
	}
	members->items[members->count++] = *member;
	return lh_table_insert(members->indexes, member->key, (void *)(uintptr_t)members->count) == 0;
}

/* To the next key or value, or the bracket that closes. The text is proved JSON. */
static char skip_between(struct builder *builder)
{
	while (builder->at < builder->end && *builder->at != '\0' && strchr(" \t\r\n,:", *builder->at))
		builder->at++;
	return builder->at < builder->end ? *builder->at : '\0';
}

static int build_value(struct builder *builder, unsigned depth, struct value *ret, struct rtreg_error *error);

static int build_members(struct builder *builder, unsigned depth, struct members *members,
                         struct rtreg_error *error)
{
	while (skip_between(builder) != '}') {
		struct value key = {.type = VALUE_NULL};
		struct member member;
		int r = build_whole(builder, &key, error);

		if (r == 0)
			r = build_value(builder, depth, &member.value, error);
		if (r < 0)
			return r;
		member.key = key.string;
		if (key.type != VALUE_STRING || !members_put(members, &member))
			return error_no_memory(error);
	}
	builder->at++;
	return 0;
}

static int build_object(struct builder *builder, unsigned depth, struct value *ret, struct rtreg_error *error)
{
	_cleanup_(members_fini) struct members members = {.indexes = lh_kchar_table_new(16, NULL)};
	struct value value = {.type = VALUE_OBJECT};
	int r;

	if (!members.indexes)
		return error_no_memory(error);
	builder->at++;
	r = build_members(builder, depth + 1, &members, error);
	if (r < 0)
		return r;
	value.count = (uint32_t)members.count;
	value.members = arena_alloc_array(builder->arena, members.count, sizeof(*value.members));
	if (!value.members)
		return error_no_memory(error);
	if (members.count > 0)
		memcpy(value.members, members.items, members.count * sizeof(*value.members));
	*ret = value;
	return 0;
}

/*
 * A tree of json-c's takes many times the room of its text, so there is one for each runtime in turn, which stays in the
 * caches, and none of the whole.
 */
static int build_value(struct builder *builder, unsigned depth, struct value *ret, struct rtreg_error *error)
{
	if (skip_between(builder) == '{' && depth < SPLIT_DEPTH)
		return build_object(builder, depth, ret, error);
	return build_whole(builder, ret, error);
}

static int build(struct arena *arena, const char *text, size_t length, struct value *ret,
                 struct rtreg_error *error)
{
	_cleanup_(free_tokener) struct json_tokener *tokener = json_tokener_new_ex(SCAN_MAX_DEPTH + 1);
	struct builder builder = {.arena = arena, .tokener = tokener, .at = text, .end = text + length};
	struct value value;
	int r;

	if (!tokener)
		return error_no_memory(error);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
	                                        JSON_TOKENER_ALLOW_TRAILING_CHARS);
	r = build_value(&builder, 0, &value, error);
	if (r < 0)
		return r;
	*ret = value;
	return 0;
}

int parse_json(struct arena *arena, const char *text, size_t length, struct value *ret,
               struct rtreg_error *error)
{
	_cleanup_text_ struct text marked = {0};
	struct scan scan;
	int r;

	if (length >= INT_MAX / 2)
		return error_set(error, -EFBIG, NULL, "invalid JSON: more than 1 GiB of text");
	r = scan_json(text, length, &scan, error);
	if (r < 0)
		return r;
	if (scan.blank) {
		*ret = (struct value){.type = VALUE_NULL};
		return 0;
	}
	if (mark_numbers(text, length, &marked) < 0)
		return error_no_memory(error);
	if (marked.length > 0)
		return build(arena, marked.data, marked.length, ret, error);
	return build(arena, text, length, ret, error);
}
