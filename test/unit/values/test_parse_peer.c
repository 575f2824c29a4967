/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random documents give the tree that another JSON library makes of them. RTREG_SEED repeats one run. */
#include <check.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "unit.h"
#include "values/parse.h"

#define DOCUMENTS 3000
#define DEPTH     5

static uint64_t state;

static unsigned below(unsigned limit)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % limit;
}

/* --- random documents --- */

static void write_white(struct text *text)
{
	static const char *const white[] = {"", "", "", " ", "\n\t", "\r\n  "};

	text_append(text, white[below(ARRAY_SIZE(white))]);
}

static void write_string(struct text *text)
{
	static const char *const pieces[] = {
	        "a",
	        "b",
	        "path",
	        "\\n",
	        "\\\"",
	        "\\\\",
	        "\\/",
	        "\\u0041",
	        "\\u00e4",
	        "\\ud83d",
	        "\\udc33",
	        "\\ud800",
	        "\\ud83d\\udc33",
	        "\xc3\xa4",
	        "\xf0\x9f\x90\xb3",
	        "\\b\\f\\r\\t",
	        "\\uFFff",
	};

	text_append_char(text, '"');
	for (unsigned i = below(4); i > 0; i--)
		text_append(text, pieces[below(ARRAY_SIZE(pieces))]);
	text_append_char(text, '"');
}

static void write_number(struct text *text)
{
	static const char *const numbers[] = {
	        "0",     "-0",  "7",    "-12",    "9223372036854775807", "-9223372036854775808", "1.5",
	        "-0.25", "1e3", "2E-7", "0e0000",
	};

	text_append(text, numbers[below(ARRAY_SIZE(numbers))]);
}

static void write_any(struct text *text, unsigned depth);

static void write_many(struct text *text, unsigned depth, bool object)
{
	unsigned count = below(8) == 0 ? below(40) : below(5);

	text_append_char(text, object ? '{' : '[');
	for (unsigned i = 0; i < count; i++) {
		write_white(text);
		if (i > 0)
			text_append_char(text, ',');
		write_white(text);
		if (object) {
			write_string(text);
			write_white(text);
			text_append_char(text, ':');
		}
		write_any(text, depth);
	}
	write_white(text);
	text_append_char(text, object ? '}' : ']');
}

static void write_any(struct text *text, unsigned depth)
{
	static const char *const literals[] = {"true", "false", "null"};
	unsigned kind = below(depth < DEPTH ? 8 : 3);

	write_white(text);
	if (kind == 0)
		text_append(text, literals[below(ARRAY_SIZE(literals))]);
	else if (kind == 1)
		write_number(text);
	else if (kind == 2)
		write_string(text);
	else
		write_many(text, depth + 1, kind > 4);
	write_white(text);
}

/* --- comparing --- */

static bool same(const struct value *ours, struct json_object *theirs);

static bool same_members(const struct value *ours, struct json_object *theirs)
{
	struct json_object_iterator i = json_object_iter_begin(theirs);

	if (ours->count != (uint32_t)json_object_object_length(theirs))
		return false;
	for (uint32_t at = 0; at < ours->count; at++, json_object_iter_next(&i))
		if (strcmp(ours->members[at].key, json_object_iter_peek_name(&i)) != 0 ||
		    !same(&ours->members[at].value, json_object_iter_peek_value(&i)))
			return false;
	return true;
}

static bool same_elements(const struct value *ours, struct json_object *theirs)
{
	if (ours->count != json_object_array_length(theirs))
		return false;
	for (uint32_t i = 0; i < ours->count; i++)
		if (!same(&ours->elements[i], json_object_array_get_idx(theirs, i)))
			return false;
	return true;
}

static bool same(const struct value *ours, struct json_object *theirs)
{
	switch (json_object_get_type(theirs)) {
	case json_type_null:
		return ours->type == VALUE_NULL;
	case json_type_boolean:
		return ours->type == VALUE_BOOL && ours->boolean == (bool)json_object_get_boolean(theirs);
	case json_type_int:
		return ours->type == VALUE_INT && ours->integer == json_object_get_int64(theirs);
	case json_type_double:
		return ours->type == VALUE_NUMBER &&
		       strcmp(ours->string, json_object_to_json_string(theirs)) == 0;
	case json_type_string:
		return ours->type == VALUE_STRING &&
		       ours->count == (uint32_t)json_object_get_string_len(theirs) &&
		       strcmp(ours->string, json_object_get_string(theirs)) == 0;
	case json_type_array:
		return ours->type == VALUE_ARRAY && same_elements(ours, theirs);
	case json_type_object:
		return ours->type == VALUE_OBJECT && same_members(ours, theirs);
	}
	return false;
}

START_TEST(parse_json_random_document_is_what_json_c_makes_of_it)
{
	const char *given = getenv("RTREG_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)getpid();

	for (int i = 0; i < DOCUMENTS; i++, seed++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_text_ struct text text = {0};
		struct json_object *theirs;
		struct value ours;

		state = seed;
		write_any(&text, 0);
		ck_assert_int_eq(parse_json(arena, text.data, text.length, &ours, NULL), 0);
		theirs = json_tokener_parse(text.data);
		ck_assert_msg(same(&ours, theirs), "RTREG_SEED=%" PRIu64 ": %s", seed, text.data);
		json_object_put(theirs);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parse-peer");
	TCase *tcase = tcase_create("parse_json");

	tcase_add_test(tcase, parse_json_random_document_is_what_json_c_makes_of_it);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
