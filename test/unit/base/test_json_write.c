/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing JSON: commas, escapes, what is no UTF-8. */
#include <check.h>
#include <string.h>

#include "base/json_write.h"
#include "unit.h"

START_TEST(json_members_and_elements_are_separated_by_commas)
{
	_cleanup_text_ struct text text = {0};

	json_open(&text, '{');
	json_member_string(&text, "a", "b");
	json_member_int(&text, "c", INT64_MIN);
	json_member_uint(&text, "d", UINT64_MAX);
	json_key(&text, "e");
	json_open(&text, '[');
	json_boolean(&text, true);
	json_null(&text);
	json_open(&text, '{');
	json_close(&text, '}');
	json_open(&text, '[');
	json_close(&text, ']');
	json_close(&text, ']');
	json_member_bool(&text, "f", false);
	json_member_raw(&text, "g", "{\"h\":1}");
	json_close(&text, '}');
	ck_assert_str_eq(text_string(&text), "{\"a\":\"b\",\"c\":-9223372036854775808,"
	                                     "\"d\":18446744073709551615,\"e\":[true,null,{},[]],"
	                                     "\"f\":false,\"g\":{\"h\":1}}");
}
END_TEST

struct pair {
	const char *string, *json;
};

static const struct pair pairs[] = {
        {"", "\"\""},
        {NULL, "null"},
        {"a,b:c{[", "\"a,b:c{[\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xc3\xa9\xf0\x9f\x90\xb3", "\"\xc3\xa9\xf0\x9f\x90\xb3\""},
        {"a\xe9"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

START_TEST(json_string_is_escaped)
{
	_cleanup_text_ struct text text = {0};

	json_string(&text, pairs[_i].string);
	ck_assert_str_eq(text_string(&text), pairs[_i].json);
}
END_TEST

START_TEST(json_string_n_escapes_nul)
{
	_cleanup_text_ struct text text = {0};

	json_string_n(&text, "a\0b", 3);
	ck_assert_str_eq(text_string(&text), "\"a\\u0000b\"");
}
END_TEST

START_TEST(json_strings_that_end_like_a_bracket_are_separated)
{
	_cleanup_text_ struct text text = {0};

	json_open(&text, '[');
	json_string(&text, "[");
	json_string(&text, ":");
	json_string(&text, ",");
	json_close(&text, ']');
	ck_assert_str_eq(text_string(&text), "[\"[\",\":\",\",\"]");
}
END_TEST

START_TEST(json_open_on_a_new_line_begins_without_comma)
{
	_cleanup_text_ struct text text = {0};

	text_append(&text, "{}\n");
	json_open(&text, '{');
	json_close(&text, '}');
	ck_assert_str_eq(text_string(&text), "{}\n{}");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_write");
	TCase *tcase = tcase_create("json_write");

	tcase_add_test(tcase, json_members_and_elements_are_separated_by_commas);
	tcase_add_loop_test(tcase, json_string_is_escaped, 0, (int)ARRAY_SIZE(pairs));
	tcase_add_test(tcase, json_string_n_escapes_nul);
	tcase_add_test(tcase, json_strings_that_end_like_a_bracket_are_separated);
	tcase_add_test(tcase, json_open_on_a_new_line_begins_without_comma);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
