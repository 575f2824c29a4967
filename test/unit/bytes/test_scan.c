/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CONTRACT C3 and C12: what is strict JSON, where it ends to be so, and the cause in words. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "base/text.h"
#include "bytes/scan.h"
#include "unit.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

static const char *const good[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "\"\"",
        " \t\r\n{ } \n",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"e\"}",
        "[ [ ] , { } , [ 1 ] ]",
        "[0,-0,1,-1,10,123456789012345678901234567890]",
        "[0.0,-0.5,1e5,1E+5,1e-05,0e0,1.25e10]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\uD83D\\uDC33\"",
        "\"\\ud800\"",
        "\"\\udc00 \\ud800x\"",
        "\"\x7f \xc2\x80 \xf0\x9f\x90\xb3 // # \xe2\x80\x9c \xc2\xa0 {{ }} '\"",
        "{\"a\":1,\"a\":2,\"\":3}",
};

struct bad {
	const char *text;
	size_t length;
	const char *where, *part; /* of the message */
};

/* clang-format off */
static const struct bad bad[] = {
	/* comments */
	{BYTES("{\n  // x\n  \"a\": 1\n}"), "line 2, column 3", "comment"},
	{BYTES("{\"a\": 1 /* x */}"), "line 1, column 9", "comment"},
	{BYTES("{\"a\": 1, # x\n}"), "line 1, column 10", "comment"},
	{BYTES("{}\n// x"), "line 2, column 1", "comment"},
	{BYTES("// x\n{}"), "line 1, column 1", "comment"},
	/* commas */
	{BYTES("{\"a\": true, \"b\": true,}\n"), "line 1, column 22", "trailing comma"},
	{BYTES("{\n \"d\": [\"x\",\n \"y\" ,\n ]\n}"), "line 3, column 6", "trailing comma"},
	{BYTES("{\"a\": 1\n,\n\n}"), "line 2, column 1", "trailing comma"},
	{BYTES("{\"a\": 1},\n"), "line 1, column 9", "comma"},
	{BYTES("[1,,2]"), "line 1, column 4", "one comma too many"},
	{BYTES("[,]"), "line 1, column 2", "expected a value or ']', found ','"},
	{BYTES("[1 2]"), "line 1, column 4", "expected ',' or ']', found '2'"},
	{BYTES("{\"a\": 1 \"b\": 2}"), "line 1, column 9", "expected ',' or '}'"},
	/* quotes and white space of word processors */
	{BYTES("{\n \"a\": 1,\n \xe2\x80\x9c" "b\xe2\x80\x9d: 1}"), "line 3, column 2", "U+201C (a smart quote"},
	{BYTES("{\"a\xe2\x80\x9d: true,\n\"b\": 1}"), "line 1, column 14", "smart quote"},
	{BYTES("{\"a\xe2\x80\x9d: true, \"b\": 1}"), "line 1, column 16", "smart quote"},
	{BYTES("{\xe2\x80\x98" "a\xe2\x80\x99: 1}"), "line 1, column 2", "quote"},
	{BYTES("{'a': 1}"), "line 1, column 2", "double quotes"},
	{BYTES("{\n  \"a\":\xc2\xa0true\n}"), "line 2, column 7", "U+00A0 (a non-breaking space"},
	{BYTES("\xc2\xa0{}"), "line 1, column 1", "non-breaking"},
	{BYTES("{\xe2\x80\x8b}"), "line 1, column 2", "invisible"},
	{BYTES("{\f}"), "line 1, column 2", "byte 0x0C (only space"},
	{BYTES("{}\v"), "line 1, column 3", "white space"},
	{BYTES("{}\n\xef\xbb\xbf{}"), "line 2, column 1", "byte order mark"},
	/* more or less than one object */
	{BYTES("{\"a\": 1}\n{\"b\": 1}\n"), "line 2, column 1", "second object"},
	{BYTES("{\"a\": 1},\n{\"b\": 1}\n"), "line 1, column 9", "second object"},
	{BYTES("{\"a\": 1}}"), "line 1, column 9", "too many"},
	{BYTES("\"a\": true,\n\"b\": true\n"), "line 1, column 4", "outer brace"},
	{BYTES("a: true"), "line 1, column 1", "outer brace"},
	{BYTES("}"), "line 1, column 1", "expected a value, found '}'"},
	{BYTES("{\"a\": 1]"), "line 1, column 8", "expected ',' or '}', found ']'"},
	{BYTES("[1}"), "line 1, column 3", "expected ',' or ']', found '}'"},
	/* templates */
	{BYTES("{\n  \"mtu\": {{ mtu }}\n}\n"), "line 2, column 11", "template"},
	{BYTES("{{ all }}"), "line 1, column 2", "template"},
	{BYTES("{\"mtu\": ${MTU}}"), "line 1, column 9", "template"},
	{BYTES("{%if x%}{}"), "line 1, column 2", "template"},
	{BYTES("{\n<<<<<<< HEAD\n"), "line 2, column 1", "merge conflict"},
	/* keys and colons */
	{BYTES("{debug: true}"), "line 1, column 2", "a key stands in double quotes"},
	{BYTES("{\"a\" 1}"), "line 1, column 6", "expected ':' behind the key, found '1'"},
	{BYTES("{\"a\" = 1}"), "line 1, column 6", "colon"},
	{BYTES("{\"a\"}"), "line 1, column 5", "expected ':'"},
	{BYTES("{\"a\":}"), "line 1, column 6", "expected a value, found '}'"},
	{BYTES("{1: 2}"), "line 1, column 2", "expected a key"},
	{BYTES("{\"a\": 1; \"b\": 2}"), "line 1, column 8", "comma"},
	/* literals */
	{BYTES("{\"a\": NaN}"), "line 1, column 7", "NaN"},
	{BYTES("{\"a\": nan}"), "line 1, column 8", "NaN"},
	{BYTES("{\"a\": Infinity}"), "line 1, column 7", "infinity"},
	{BYTES("{\"a\": -Infinity}"), "line 1, column 8", "infinity"},
	{BYTES("{\"a\": True}"), "line 1, column 7", "write true"},
	{BYTES("{\"a\": None}"), "line 1, column 7", "write null"},
	{BYTES("{\"a\": falsey}"), "line 1, column 12", "found 'y'"},
	{BYTES("{\"a\": truE}"), "line 1, column 10", "expected true, found 'E'"},
	{BYTES("{\"a\": journald}"), "line 1, column 7", "a string stands in double quotes"},
	{BYTES("tru"), "line 1, column 4", "the end of the text"},
	/* numbers */
	{BYTES("{\"a\": 01500}"), "line 1, column 8", "leading zero"},
	{BYTES("[-01]"), "line 1, column 4", "leading zero"},
	{BYTES("[1.]"), "line 1, column 4", "decimal point"},
	{BYTES("[.5]"), "line 1, column 2", "begins with a digit"},
	{BYTES("[+1]"), "line 1, column 2", "plus sign"},
	{BYTES("[-]"), "line 1, column 3", "expected a digit"},
	{BYTES("[--1]"), "line 1, column 3", "expected a digit"},
	{BYTES("[1e]"), "line 1, column 4", "exponent"},
	{BYTES("[1e+]"), "line 1, column 5", "exponent"},
	{BYTES("[0x1F]"), "line 1, column 3", "decimal digits alone"},
	{BYTES("[64m]"), "line 1, column 4", "double quotes"},
	{BYTES("-"), "line 1, column 2", "the end of the text"},
	/* strings */
	{BYTES("{\"a\": \"json\n-file\"}"), "line 1, column 12", "line break"},
	{BYTES("[\"a\tb\"]"), "line 1, column 4", "byte 0x09 (a tab"},
	{BYTES("[\"a\0b\"]"), "line 1, column 4", "NUL"},
	{BYTES("[\"\x1f\"]"), "line 1, column 3", "byte 0x1F"},
	{BYTES("[\"\\x41\"]"), "line 1, column 4", "found 'x' (a backslash itself"},
	{BYTES("[\"\\u12G4\"]"), "line 1, column 7", "hexadecimal"},
	{BYTES("[\"\\u12\"]"), "line 1, column 7", "hexadecimal"},
	{BYTES("[\"a\\u0000\"]"), "line 1, column 4", "NUL"},
	{BYTES("{\"\\u0000\": 1}"), "line 1, column 3", "NUL"},
	{BYTES("[\"\xe9\"]"), "line 1, column 3", "byte 0xE9 is not valid UTF-8"},
	{BYTES("\""), "line 1, column 2", "inside a string"},
	{BYTES("\"\\"), "line 1, column 3", "the end of the text"},
	{BYTES("\"\\u00"), "line 1, column 6", "the end of the text"},
	/* where the text stops */
	{BYTES("{"), "line 1, column 2", "the end of the text (a closing"},
	{BYTES("{\"a\": {\"b\": \"c\""), "line 1, column 16", "the end of the text"},
	{BYTES("{\n\"a\": 1,\n"), "line 3, column 1", "the end of the text"},
	{BYTES("{\"a\""), "line 1, column 5", "expected ':'"},
	{BYTES("["), "line 1, column 2", "the end of the text"},
	{BYTES("{\0\"\0a\0\"\0"), "line 1, column 2", "NUL byte (UTF-16 needs a byte order mark"},
	{BYTES("{}\0"), "line 1, column 3", "NUL"},
	{BYTES("{\r\n\r\n  x"), "line 3, column 3", "found 'x'"},
};
/* clang-format on */

START_TEST(scan_json_strict_json_passes)
{
	struct scan scan = {.blank = true};

	ck_assert_int_eq(scan_json(good[_i], strlen(good[_i]), &scan, NULL), 0);
	ck_assert(!scan.blank);
}
END_TEST

START_TEST(scan_json_anything_else_tells_place_and_cause)
{
	const struct bad *c = &bad[_i];
	_cleanup_error_ struct rtreg_error error = {0};
	struct scan scan = {.blank = true};
	char begin[64];

	ck_assert_int_eq(scan_json(c->text, c->length, &scan, &error), -EINVAL);
	ck_assert_msg(strcmp(error.where, c->where) == 0, "%s: at %s, not %s: %s", c->text, error.where,
	              c->where, error.message);
	snprintf(begin, sizeof(begin), "invalid JSON: %s: ", c->where);
	ck_assert_msg(strncmp(error.message, begin, strlen(begin)) == 0, "message: %s", error.message);
	ck_assert_msg(strstr(error.message, c->part), "%s: message: %s", c->text, error.message);
	ck_assert(scan.blank);
}
END_TEST

START_TEST(scan_json_each_cut_of_good_text_fails_within_bounds)
{
	const char *whole = good[_i];
	size_t length = strlen(whole);
	struct scan scan;

	for (size_t cut = 0; cut <= length; cut++) {
		/* Memory of exactly this size, so that a sanitizer sees a look past its end. */
		_cleanup_free_ char *text = malloc(cut ? cut : 1);
		_cleanup_error_ struct rtreg_error error = {0};

		memcpy(text, whole, cut);
		if (scan_json(text, cut, &scan, &error) < 0)
			ck_assert_ptr_nonnull(strstr(error.message, "line "));
	}
}
END_TEST

START_TEST(scan_json_white_space_alone_is_blank)
{
	static const char *const texts[] = {"", " ", "\n", " \r\n\t\n"};
	struct scan scan = {.blank = false};

	ck_assert_int_eq(scan_json(texts[_i], strlen(texts[_i]), &scan, NULL), 0);
	ck_assert(scan.blank);
}
END_TEST

/* `depth` objects and arrays in turn within each other. */
static void nest(struct text *text, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		text_append(text, i % 2 ? "{\"a\":" : "[");
	text_append(text, "1");
	for (unsigned i = depth; i > 0; i--)
		text_append(text, (i - 1) % 2 ? "}" : "]");
}

START_TEST(scan_json_nested_to_the_limit_passes)
{
	_cleanup_text_ struct text text = {0};
	struct scan scan;

	nest(&text, SCAN_MAX_DEPTH);
	ck_assert_int_eq(scan_json(text.data, text.length, &scan, NULL), 0);
}
END_TEST

START_TEST(scan_json_nested_past_the_limit_fails_at_that_bracket)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_text_ struct text text = {0};
	struct scan scan;

	nest(&text, SCAN_MAX_DEPTH + 1);
	ck_assert_int_eq(scan_json(text.data, text.length, &scan, &error), -EINVAL);
	ck_assert_str_eq(error.where, "line 1, column 97"); /* 16 times [{"a": before it */
	ck_assert_str_eq(error.message,
	                 "invalid JSON: line 1, column 97: nested too deeply: at most 32 levels");
}
END_TEST

START_TEST(scan_json_error_beside_a_secret_does_not_quote_it)
{
	static const char text[] = "{\"proxies\": {\"http-proxy\": \"http://jo:hunter2@proxy:3128\",}}";
	_cleanup_error_ struct rtreg_error error = {0};
	struct scan scan;

	ck_assert_int_eq(scan_json(text, strlen(text), &scan, &error), -EINVAL);
	ck_assert_ptr_null(strstr(error.message, "hunter2"));
	ck_assert_str_eq(error.message, "invalid JSON: line 1, column 58: ',' before '}' (a trailing comma; "
	                                "remove it)");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *tcase = tcase_create("scan_json");

	tcase_add_loop_test(tcase, scan_json_strict_json_passes, 0, (int)ARRAY_SIZE(good));
	tcase_add_loop_test(tcase, scan_json_anything_else_tells_place_and_cause, 0, (int)ARRAY_SIZE(bad));
	tcase_add_loop_test(tcase, scan_json_each_cut_of_good_text_fails_within_bounds, 0,
	                    (int)ARRAY_SIZE(good));
	tcase_add_loop_test(tcase, scan_json_white_space_alone_is_blank, 0, 4);
	tcase_add_test(tcase, scan_json_nested_to_the_limit_passes);
	tcase_add_test(tcase, scan_json_nested_past_the_limit_fails_at_that_bracket);
	tcase_add_test(tcase, scan_json_error_beside_a_secret_does_not_quote_it);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
