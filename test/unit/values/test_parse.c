/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text to tree: escapes, numbers, duplicates, order (CONTRACT C2, C8, C11, C12). */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/problems.h"
#include "base/text.h"
#include "unit.h"
#include "values/parse.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
	ck_assert_ptr_nonnull(arena);
}

static void teardown(void)
{
	arena_free(arena);
}

static struct value parse(const char *text)
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct value value = {0};
	int r = parse_json(arena, text, strlen(text), &value, &error);

	ck_assert_msg(r == 0, "%s: %s", text, error.message);
	return value;
}

static void check_written(const char *text, const char *expected)
{
	_cleanup_text_ struct text written = {0};
	struct value value = parse(text);

	value_write(&written, &value);
	ck_assert_str_eq(text_string(&written), expected);
}

struct pair {
	const char *text, *expected;
};

static const struct pair written[] = {
        {"null", "null"},
        {" [ true , false , null ] ", "[true,false,null]"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[[],{},[[]]]", "[[],{},[[]]]"},
        {"{\"b\":1,\"a\":{\"d\":[1,{\"e\":2}],\"c\":\"\"}}",
         "{\"b\":1,\"a\":{\"d\":[1,{\"e\":2}],\"c\":\"\"}}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"a\":{\"x\":1},\"a\":{\"y\":2}}", "{\"a\":{\"y\":2}}"},
        {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]"},
        {"{\"a\":1,\"A\":2,\"\":3}", "{\"a\":1,\"A\":2,\"\":3}"},
        {"{\"r\" :\n{ \"a\" : {\"x\" : [ 1 , -2e5 ]\t} , \"b\":7 ,\"c\":null,\"d\":{ } } }\n",
         "{\"r\":{\"a\":{\"x\":[1,-2e5]},\"b\":7,\"c\":null,\"d\":{}}}"},
        {"{\"r\":{\"a\":{\"x\":1,\"x\":2},\"b\":1,\"\\u0061\":{\"z\":3}}}",
         "{\"r\":{\"a\":{\"z\":3},\"b\":1}}"},
        {"{\"r\":{\"a\":9223372036854775808,\"b\":\"}\\\"{\"}}",
         "{\"r\":{\"a\":9223372036854775808,\"b\":\"}\\\"{\"}}"},
        {"{\"r\":{\"path\":\"/a\",\"b\":\"/ab\",\"c\":\"/\",\"/a\":\"path\"}}",
         "{\"r\":{\"path\":\"/a\",\"b\":\"/ab\",\"c\":\"/\",\"/a\":\"path\"}}"},
};

START_TEST(parse_json_tree_is_written_again_in_order)
{
	check_written(written[_i].text, written[_i].expected);
}
END_TEST

static const struct pair strings[] = {
        {"\"\"", ""},
        {"\"a\"", "a"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u007f\\u0080\\u07FF\\u0800\\uffff\"", "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
        {"\"\\ud83d\\udc33\"", "\xf0\x9f\x90\xb3"},
        {"\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf"},
        {"\"\\ud800\"", "\xef\xbf\xbd"},
        {"\"\\udc33\"", "\xef\xbf\xbd"},
        {"\"\\ud83dx\"", "\xef\xbf\xbdx"},
        {"\"\\ud83d\\n\"", "\xef\xbf\xbd\n"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"\\ud83d\\ud83d\\udc33\"", "\xef\xbf\xbd\xf0\x9f\x90\xb3"},
        {"\"\\udc33\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"\xf0\x9f\x90\xb3\"", "\xf0\x9f\x90\xb3"},
};

START_TEST(parse_json_string_is_unescaped)
{
	struct value value = parse(strings[_i].text);

	ck_assert_int_eq(value.type, VALUE_STRING);
	ck_assert_str_eq(value.string, strings[_i].expected);
	ck_assert_uint_eq(value.count, strlen(strings[_i].expected));
}
END_TEST

struct integer {
	const char *text;
	int64_t number;
};

static const struct integer integers[] = {
        {"0", 0},
        {"-0", 0},
        {"1", 1},
        {"-1", -1},
        {"1500", 1500},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
};

START_TEST(parse_json_integer_within_64_bits_is_an_integer)
{
	struct value value = parse(integers[_i].text);

	ck_assert_int_eq(value.type, VALUE_INT);
	ck_assert(value.integer == integers[_i].number);
}
END_TEST

static const char *const numbers[] = {
        "1.0",
        "1e3",
        "-0.0",
        "1E+05",
        "0e0000",
        "1e999",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "123456789012345678901234567890e0000",
        "100000000000000000000000000000000000000000000",
};

START_TEST(parse_json_other_number_is_kept_as_written)
{
	struct value value = parse(numbers[_i]);

	ck_assert_int_eq(value.type, VALUE_NUMBER);
	ck_assert_str_eq(value.string, numbers[_i]);
	ck_assert_uint_eq(value.count, strlen(numbers[_i]));
}
END_TEST

START_TEST(parse_json_white_space_alone_is_null)
{
	static const char *const texts[] = {"", " \r\n\t"};

	ck_assert_int_eq(parse(texts[_i]).type, VALUE_NULL);
}
END_TEST

START_TEST(parse_json_no_text_at_no_address_is_null)
{
	struct value value = value_of_int(1);

	ck_assert_int_eq(parse_json(arena, NULL, 0, &value, NULL), 0);
	ck_assert_int_eq(value.type, VALUE_NULL);
}
END_TEST

START_TEST(parse_json_stops_at_the_given_length)
{
	struct value value;

	ck_assert_int_eq(parse_json(arena, "12345", 2, &value, NULL), 0);
	ck_assert_int_eq(value.integer, 12);
}
END_TEST

START_TEST(parse_json_bad_text_tells_place_and_leaves_output_alone)
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct value value = value_of_int(7);

	ck_assert_int_eq(parse_json(arena, "{\n]", 3, &value, &error), -EINVAL);
	ck_assert_str_eq(error.where, "line 2, column 1");
	ck_assert_int_eq(value.integer, 7);
}
END_TEST

START_TEST(parse_json_nul_in_a_string_is_refused)
{
	static const char *const texts[] = {"\"\\u0000\"", "{\"a\\u0000\":1}"};
	struct value value;

	ck_assert_int_eq(parse_json(arena, texts[_i], strlen(texts[_i]), &value, NULL), -EINVAL);
}
END_TEST

START_TEST(parse_json_hundred_thousand_members_each_twice_keep_the_last)
{
	enum { MEMBERS = 100000 };
	_cleanup_text_ struct text text = {0};
	struct value value;

	json_open(&text, '{');
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < MEMBERS; i++)
			text_printf(&text, "%s\"kata-%06d\":%d", round + i ? "," : "", MEMBERS - i,
			            round + i);
	json_close(&text, '}');
	value = parse(text_string(&text));
	ck_assert_uint_eq(value.count, MEMBERS);
	for (uint32_t i = 0; i < value.count; i++)
		ck_assert_int_eq(value.members[i].value.integer, (int64_t)i + 1);
	ck_assert_str_eq(value.members[0].key, "kata-100000");
}
END_TEST

START_TEST(parse_json_keys_and_strings_that_come_again_are_kept_once)
{
	struct value value =
	        parse("{\"runtimes\":{\"a\":{\"path\":\"/bin/x\"},\"b\":{\"path\":\"/bin/x\"}}}");
	const struct member *first = &value.members[0].value.members[0].value.members[0];
	const struct member *second = &value.members[0].value.members[1].value.members[0];

	ck_assert_str_eq(first->key, "path");
	ck_assert_str_eq(first->value.string, "/bin/x");
	ck_assert_ptr_eq(first->key, second->key);
	ck_assert_ptr_eq(first->value.string, second->value.string);
}
END_TEST

/* Appends a value at random: numbers and strings of all kinds, duplicates of keys, white space. */
static void append_random(struct text *text, int depth)
{
	static const char *const scalars[] = {
	        "null",    "true", "-0",     "9223372036854775808",      "1e0000",
	        "2E00000", "\"\"", "\"k1\"", "\"\\ud83d\\ude00 \\\"}\"", "\"\\ud83d\\u0041\""};
	static const char *const keys[] = {"\"k1\"", "\"\\u006b1\"", "\"\"", "\"k12\"", "\"k\""};
	static const char *const spaces[] = {"", " ", "\n\t"};
	long kind = random() % 4, count = random() % 5;

	if (depth == 5 || (depth > 0 && kind < 2)) {
		text_append(text, scalars[random() % ARRAY_SIZE(scalars)]);
		return;
	}
	text_append(text, kind == 2 ? "[" : "{");
	for (long i = 0; i < count; i++) {
		text_append(text, i > 0 ? "," : "");
		if (kind != 2)
			text_printf(text, "%s%s%s:", spaces[random() % 3], keys[random() % ARRAY_SIZE(keys)],
			            spaces[random() % 3]);
		text_append(text, spaces[random() % 3]);
		append_random(text, depth + 1);
		text_append(text, spaces[random() % 3]);
	}
	text_append(text, kind == 2 ? "]" : "}");
}

/* In an array all is built at once, at the top objects are built member by member. */
START_TEST(parse_json_random_tree_is_the_same_at_the_top_and_in_an_array)
{
	srandom((unsigned)_i);
	for (int n = 0; n < 2000; n++) {
		_cleanup_text_ struct text inner = {0}, array = {0}, first = {0}, second = {0};
		struct value top, whole;

		append_random(&inner, 0);
		text_printf(&array, "[%s]", text_string(&inner));
		top = parse(text_string(&inner));
		whole = parse(text_string(&array));
		value_write(&first, &top);
		value_write(&second, &whole.elements[0]);
		ck_assert_msg(strcmp(text_string(&first), text_string(&second)) == 0, "seed %d: %s", _i,
		              text_string(&inner));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parse");
	TCase *tcase = tcase_create("parse_json");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, parse_json_tree_is_written_again_in_order, 0, (int)ARRAY_SIZE(written));
	tcase_add_loop_test(tcase, parse_json_string_is_unescaped, 0, (int)ARRAY_SIZE(strings));
	tcase_add_loop_test(tcase, parse_json_integer_within_64_bits_is_an_integer, 0,
	                    (int)ARRAY_SIZE(integers));
	tcase_add_loop_test(tcase, parse_json_other_number_is_kept_as_written, 0, (int)ARRAY_SIZE(numbers));
	tcase_add_loop_test(tcase, parse_json_white_space_alone_is_null, 0, 2);
	tcase_add_test(tcase, parse_json_no_text_at_no_address_is_null);
	tcase_add_test(tcase, parse_json_stops_at_the_given_length);
	tcase_add_test(tcase, parse_json_bad_text_tells_place_and_leaves_output_alone);
	tcase_add_loop_test(tcase, parse_json_nul_in_a_string_is_refused, 0, 2);
	tcase_add_loop_test(tcase, parse_json_random_tree_is_the_same_at_the_top_and_in_an_array, 1, 4);
	tcase_add_test(tcase, parse_json_keys_and_strings_that_come_again_are_kept_once);
	tcase_add_test(tcase, parse_json_hundred_thousand_members_each_twice_keep_the_last);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
