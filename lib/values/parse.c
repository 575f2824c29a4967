/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds the values of text that bytes/scan has proved to be strict JSON, straight into the arena: what has been proved
 * is not looked at again. The members of an open object or array wait on one stack until it is known how many they are.
 *
 * Configurations say the same again and again ("path", "runtimeArgs", one binary for a thousand runtimes), so a string
 * that was built shortly before is taken again instead of copied.
 */
#include "values/parse.h"

#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "base/utf8.h"
#include "bytes/scan.h"

#define FEW_MEMBERS 8 /* are compared with each other; more are put in order */
#define SEEN        256
#define SEEN_MAX    64 /* longer strings are hardly ever the same */

struct seen {
	const char *string; /* the arena's; NULL: none */
	size_t length;
};

struct builder {
	struct arena *arena;
	const char *at, *end;
	struct member *stack; /* malloc'ed; elements of arrays have no key */
	size_t count, capacity;
	struct seen seen[SEEN];
};

static bool build_value(struct builder *b, struct value *ret);

static void skip_white(struct builder *b)
{
	while (b->at < b->end && (*b->at == ' ' || *b->at == '\n' || *b->at == '\t' || *b->at == '\r'))
		b->at++;
}

static bool push(struct builder *b, const struct member *member)
{
	size_t capacity = b->capacity ? 2 * b->capacity : 64;
	struct member *stack;

	if (b->count == b->capacity) {
		stack = reallocarray(b->stack, capacity, sizeof(*stack));
		if (!stack)
			return false;
		b->stack = stack;
		b->capacity = capacity;
	}
	b->stack[b->count++] = *member;
	return true;
}

/* --- strings --- */

static const char *take_again(struct builder *b, const char *string, size_t length)
{
	struct seen *seen = &b->seen[rtreg_hash(string, length) % SEEN];

	if (!seen->string || seen->length != length || memcmp(seen->string, string, length) != 0)
		*seen = (struct seen){arena_strndup(b->arena, string, length), length};
	return seen->string;
}

static uint32_t hex_digits(const char *at)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++) {
		char c = at[i];

		code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

/* The code point of the escape at `*at`, behind its 'u'; half a surrogate pair is U+FFFD. */
static uint32_t unicode_escape(const char **at)
{
	uint32_t code = hex_digits(*at), low;

	*at += 4;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code > 0xdbff || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0xfffd;
	low = hex_digits(*at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*at += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static char simple_escape(char c)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *letter = strchr(letters, c);

	return letter ? meant[letter - letters] : c;
}

/* Copies with escapes undone, which makes nothing longer. Returns the length. */
static size_t unescape(const char *at, const char *end, char *to)
{
	char *begin = to;

	while (at < end) {
		if (*at != '\\') {
			*to++ = *at++;
		} else if (at[1] == 'u') {
			at += 2;
			to += utf8_put(to, unicode_escape(&at));
		} else {
			*to++ = simple_escape(at[1]);
			at += 2;
		}
	}
	return (size_t)(to - begin);
}

/* `b->at` is at the opening quote. */
static bool build_string(struct builder *b, const char **ret, size_t *ret_length)
{
	const char *begin = ++b->at, *string;
	bool escaped = false;
	size_t length;
	char *copy;

	for (; *b->at != '"'; b->at++) {
		if (*b->at != '\\')
			continue;
		escaped = true;
		b->at++;
	}
	length = (size_t)(b->at++ - begin);
	if (escaped) {
		string = copy = arena_strndup(b->arena, begin, length);
		if (!copy)
			return false;
		length = unescape(begin, begin + length, copy);
		copy[length] = '\0';
	} else {
		string = length > SEEN_MAX ? arena_strndup(b->arena, begin, length)
		                           : take_again(b, begin, length);
	}
	*ret = string;
	*ret_length = length;
	return string != NULL;
}

static bool build_string_value(struct builder *b, struct value *ret)
{
	size_t length = 0;

	*ret = (struct value){.type = VALUE_STRING};
	if (!build_string(b, &ret->string, &length))
		return false;
	ret->count = (uint32_t)length;
	return true;
}

/* --- numbers --- */

/* Whether the text is an integer within 64 bits signed, and which. */
static bool is_integer(const char *number, size_t length, int64_t *ret)
{
	bool negative = number[0] == '-';
	int64_t value = 0;

	for (size_t i = negative; i < length; i++) {
		int64_t digit = number[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    (negative ? __builtin_sub_overflow(value, digit, &value)
		              : __builtin_add_overflow(value, digit, &value)))
			return false;
	}
	*ret = value;
	return true;
}

static bool build_number(struct builder *b, struct value *ret)
{
	const char *begin = b->at;
	int64_t integer;
	size_t length;

	while (b->at < b->end && *b->at != '\0' && strchr("+-.0123456789Ee", *b->at))
		b->at++;
	length = (size_t)(b->at - begin);
	if (is_integer(begin, length, &integer)) {
		*ret = value_of_int(integer);
		return true;
	}
	*ret = (struct value){.type = VALUE_NUMBER,
	                      .count = (uint32_t)length,
	                      .string = arena_strndup(b->arena, begin, length)};
	return ret->string != NULL;
}

/* --- arrays --- */

static bool build_array(struct builder *b, struct value *ret)
{
	size_t base = b->count;

	*ret = (struct value){.type = VALUE_ARRAY};
	b->at++;
	for (skip_white(b); *b->at != ']'; skip_white(b)) {
		struct member element = {0};

		if (*b->at == ',')
			b->at++;
		skip_white(b);
		if (!build_value(b, &element.value) || !push(b, &element))
			return false;
	}
	b->at++;
	ret->count = (uint32_t)(b->count - base);
	ret->elements = arena_alloc_array(b->arena, ret->count, sizeof(*ret->elements));
	if (!ret->elements)
		return false;
	for (uint32_t i = 0; i < ret->count; i++)
		ret->elements[i] = b->stack[base + i].value;
	b->count = base;
	return true;
}

/* --- objects --- */

static bool in_order(const struct member *members, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(members[i - 1].key, members[i].key) >= 0)
			return false;
	return true;
}

/* By key, and the same keys as they stand. */
static int compare_places(const void *a, const void *b)
{
	const struct member *first = *(struct member *const *)a, *second = *(struct member *const *)b;
	int order = strcmp(first->key, second->key);

	return order != 0 ? order : (first > second) - (first < second);
}

/* Of members with one key the last one's value counts, in the place of the first; the others lose their key. */
static void join(struct member *first, struct member *again)
{
	first->value = again->value;
	again->key = NULL;
}

static void join_few(struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; members[i].key && j < count; j++)
			if (members[j].key && strcmp(members[i].key, members[j].key) == 0)
				join(&members[i], &members[j]);
}

static bool join_many(struct member *members, size_t count)
{
	_cleanup_free_ struct member **places = calloc(count, sizeof(*places));
	size_t first = 0;

	if (!places)
		return false;
	for (size_t i = 0; i < count; i++)
		places[i] = &members[i];
	qsort(places, count, sizeof(*places), compare_places);
	for (size_t i = 1; i < count; i++)
		if (strcmp(places[first]->key, places[i]->key) == 0)
			join(places[first], places[i]);
		else
			first = i;
	return true;
}

/* Leaves each key once. */
static bool join_same(struct member *members, size_t *count)
{
	size_t kept = 0;

	if (in_order(members, *count))
		return true;
	if (*count <= FEW_MEMBERS)
		join_few(members, *count);
	else if (!join_many(members, *count))
		return false;
	for (size_t i = 0; i < *count; i++)
		if (members[i].key)
			members[kept++] = members[i];
	*count = kept;
	return true;
}

static bool build_member(struct builder *b)
{
	struct member member;
	size_t length = 0;

	if (!build_string(b, &member.key, &length))
		return false;
	skip_white(b);
	b->at++; /* the colon */
	skip_white(b);
	return build_value(b, &member.value) && push(b, &member);
}

static bool build_object(struct builder *b, struct value *ret)
{
	size_t base = b->count, count;

	*ret = (struct value){.type = VALUE_OBJECT};
	b->at++;
	for (skip_white(b); *b->at != '}'; skip_white(b)) {
		if (*b->at == ',')
			b->at++;
		skip_white(b);
		if (!build_member(b))
			return false;
	}
	b->at++;
	count = b->count - base;
	if (count > 0 && !join_same(b->stack + base, &count))
		return false;
	ret->count = (uint32_t)count;
	ret->members = arena_alloc_array(b->arena, count, sizeof(*ret->members));
	if (!ret->members)
		return false;
	if (count > 0)
		memcpy(ret->members, b->stack + base, count * sizeof(*ret->members));
	b->count = base;
	return true;
}

/* --- all values --- */

static bool build_literal(struct builder *b, size_t length, struct value literal, struct value *ret)
{
	b->at += length;
	*ret = literal;
	return true;
}

/* False without memory. The depth is at most SCAN_MAX_DEPTH, which bounds the recursion. */
static bool build_value(struct builder *b, struct value *ret)
{
	switch (*b->at) {
	case '{':
		return build_object(b, ret);
	case '[':
		return build_array(b, ret);
	case '"':
		return build_string_value(b, ret);
	case 't':
		return build_literal(b, strlen("true"), value_of_bool(true), ret);
	case 'f':
		return build_literal(b, strlen("false"), value_of_bool(false), ret);
	case 'n':
		return build_literal(b, strlen("null"), (struct value){.type = VALUE_NULL}, ret);
	default:
		return build_number(b, ret);
	}
}

int parse_json(struct arena *arena, const char *text, size_t length, struct value *ret,
               struct rtreg_error *error)
{
	struct builder builder = {.arena = arena, .at = text, .end = text + length};
	struct value value;
	struct scan scan;
	bool built;
	int r;

	if (length >= UINT32_MAX / 2)
		return error_set(error, -EFBIG, NULL, "invalid JSON: more than 2 GiB of text");
	r = scan_json(text, length, &scan, error);
	if (r < 0)
		return r;
	if (scan.blank) {
		*ret = (struct value){.type = VALUE_NULL};
		return 0;
	}
	skip_white(&builder);
	built = build_value(&builder, &value);
	free(builder.stack);
	if (!built)
		return error_no_memory(error);
	*ret = value;
	return 0;
}
