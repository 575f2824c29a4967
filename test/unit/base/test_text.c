/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The growing buffer: contents, NUL at the end, what happens after a failure. */
#include <check.h>
#include <string.h>

#include "base/text.h"
#include "unit.h"

START_TEST(text_string_of_an_empty_buffer_is_empty)
{
	struct text text = {0};

	ck_assert_str_eq(text_string(&text), "");
}
END_TEST

START_TEST(text_append_pieces_are_joined)
{
	_cleanup_text_ struct text text = {0};

	text_append(&text, "a");
	text_append_n(&text, "bcd", 2);
	text_append_char(&text, '-');
	text_printf(&text, "%d%s", 42, "!");
	ck_assert_str_eq(text_string(&text), "abc-42!");
	ck_assert_uint_eq(text.length, 7);
}
END_TEST

START_TEST(text_append_n_keeps_nul_bytes)
{
	_cleanup_text_ struct text text = {0};

	text_append_n(&text, "a\0b", 3);
	ck_assert_uint_eq(text.length, 3);
	ck_assert_mem_eq(text.data, "a\0b", 4);
}
END_TEST

START_TEST(text_append_at_every_size_keeps_a_nul_behind)
{
	_cleanup_text_ struct text text = {0};

	for (size_t i = 1; i <= 1000; i++) {
		text_append_char(&text, 'x');
		ck_assert_uint_eq(strlen(text.data), i);
		ck_assert_uint_gt(text.capacity, text.length);
	}
}
END_TEST

START_TEST(text_printf_longer_than_the_buffer_is_whole)
{
	_cleanup_text_ struct text text = {0};

	text_printf(&text, "%0500d", 7);
	ck_assert_uint_eq(text.length, 500);
	ck_assert_int_eq(text.data[499], '7');
}
END_TEST

START_TEST(text_steal_leaves_an_empty_buffer)
{
	_cleanup_free_ char *stolen = NULL;
	struct text text = {0};

	text_append(&text, "abc");
	stolen = text_steal(&text);
	ck_assert_str_eq(stolen, "abc");
	ck_assert_ptr_null(text.data);
	ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(text_steal_of_an_empty_buffer_is_an_empty_string)
{
	_cleanup_free_ char *stolen = NULL;
	struct text text = {0};

	stolen = text_steal(&text);
	ck_assert_str_eq(stolen, "");
}
END_TEST

START_TEST(text_append_n_too_large_fails_once_and_for_all)
{
	_cleanup_text_ struct text text = {0};

	text_append(&text, "abc");
	text_append_n(&text, "x", SIZE_MAX / 2 + 1);
	ck_assert(text.failed);
	text_append(&text, "d");
	ck_assert_str_eq(text_string(&text), "abc");
	ck_assert_ptr_null(text_steal(&text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, text_string_of_an_empty_buffer_is_empty);
	tcase_add_test(tcase, text_append_pieces_are_joined);
	tcase_add_test(tcase, text_append_n_keeps_nul_bytes);
	tcase_add_test(tcase, text_append_at_every_size_keeps_a_nul_behind);
	tcase_add_test(tcase, text_printf_longer_than_the_buffer_is_whole);
	tcase_add_test(tcase, text_steal_leaves_an_empty_buffer);
	tcase_add_test(tcase, text_steal_of_an_empty_buffer_is_an_empty_string);
	tcase_add_test(tcase, text_append_n_too_large_fails_once_and_for_all);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
