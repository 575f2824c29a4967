/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors and lists of problems: which is primary, what is kept once, what is cut. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "unit.h"

START_TEST(problems_result_of_none_is_success_and_leaves_error_alone)
{
	_cleanup_problems_ struct problems problems = {0};
	struct rtreg_error error = {.code = 7};

	ck_assert_int_eq(problems_result(&problems, &error), 0);
	ck_assert_int_eq(error.code, 7);
}
END_TEST

START_TEST(problems_result_first_error_is_primary_and_others_follow)
{
	_cleanup_problems_ struct problems problems = {0};
	_cleanup_error_ struct rtreg_error error = {0};

	problems_error(&problems, -EINVAL, "mtu", "invalid default MTU: %d", -1);
	problems_error(&problems, -EPERM, NULL, "second");
	ck_assert_int_eq(problems_result(&problems, &error), -EINVAL);
	ck_assert_int_eq(error.code, -EINVAL);
	ck_assert_str_eq(error.where, "mtu");
	ck_assert_str_eq(error.message, "invalid default MTU: -1");
	ck_assert_ptr_nonnull(error.more);
	ck_assert_uint_eq(error.more->count, 1);
	ck_assert_int_eq(error.more->errors[0].code, -EPERM);
	ck_assert_str_eq(error.more->errors[0].where, "");
	ck_assert_str_eq(error.more->errors[0].message, "second");
}
END_TEST

START_TEST(problems_error_the_same_twice_is_kept_once)
{
	_cleanup_problems_ struct problems problems = {0};

	problems_error(&problems, -EINVAL, "a", "x");
	problems_error(&problems, -EINVAL, "a", "x");
	problems_error(&problems, -EINVAL, "b", "x");
	ck_assert_uint_eq(problems.errors.count, 2);
}
END_TEST

START_TEST(problems_warn_is_no_error)
{
	_cleanup_problems_ struct problems problems = {0};

	problems_warn(&problems, "a", "x");
	ck_assert_int_eq(problems_result(&problems, NULL), 0);
	ck_assert_uint_eq(problems.warnings.count, 1);
}
END_TEST

START_TEST(problems_ignore_is_a_warning_too)
{
	_cleanup_problems_ struct problems problems = {0};

	problems_ignore(&problems, "graph", "use %s", "data-root");
	ck_assert_uint_eq(problems.ignored.count, 1);
	ck_assert_str_eq(problems.ignored.items[0].where, "graph");
	ck_assert_str_eq(problems.ignored.items[0].message, "use data-root");
	ck_assert_uint_eq(problems.warnings.count, 1);
	ck_assert_str_eq(problems.warnings.items[0].message, "graph: use data-root");
}
END_TEST

START_TEST(problems_error_without_end_stays_bounded)
{
	_cleanup_problems_ struct problems problems = {0};

	for (int i = 0; i < 5000; i++)
		problems_error(&problems, -EINVAL, NULL, "problem %d", i);
	ck_assert_uint_lt(problems.errors.count, 5000);
	ck_assert_str_eq(problems.errors.items[problems.errors.count - 1].message,
	                 "further problems are not listed");
}
END_TEST

START_TEST(error_set_replaces_what_was_there)
{
	_cleanup_error_ struct rtreg_error error = {0};

	error_set(&error, -EINVAL, "a", "one");
	error_add(&error, -EINVAL, "b", "two");
	ck_assert_int_eq(error_set(&error, -EIO, NULL, "three"), -EIO);
	ck_assert_str_eq(error.where, "");
	ck_assert_str_eq(error.message, "three");
	ck_assert_ptr_null(error.more);
}
END_TEST

START_TEST(error_set_without_error_returns_the_code)
{
	ck_assert_int_eq(error_set(NULL, -EIO, NULL, "x"), -EIO);
}
END_TEST

START_TEST(error_add_to_nothing_is_primary)
{
	_cleanup_error_ struct rtreg_error error = {0};

	error_add(&error, -EIO, "a", "one");
	ck_assert_str_eq(error.message, "one");
	ck_assert_ptr_null(error.more);
}
END_TEST

/* Ends in "…" and is valid UTF-8 up to there, wherever the cut falls. */
START_TEST(error_set_long_message_is_cut_between_characters)
{
	_cleanup_error_ struct rtreg_error error = {0};
	char message[2000];
	size_t length;

	memset(message, 'a', (size_t)_i);
	for (size_t i = (size_t)_i; i + 2 < sizeof(message); i += 2)
		memcpy(message + i, "\xc3\xa9", 3);
	error_set(&error, -EINVAL, message, "%s", message);
	length = strlen(error.message);
	ck_assert_uint_lt(length, sizeof(error.message));
	ck_assert_uint_ge(length, sizeof(error.message) - 3);
	ck_assert_str_eq(error.message + length - 3, "\xe2\x80\xa6");
	ck_assert_uint_eq((length - 3 - (size_t)_i) % 2, 0);
}
END_TEST

START_TEST(problems_warn_quoting_megabytes_stays_short)
{
	_cleanup_problems_ struct problems problems = {0};
	size_t size = (size_t)1 << 20;
	char *message = malloc(size + 1);

	memset(message, 'a', size);
	message[size] = '\0';
	problems_warn(&problems, message, "%s", message);
	ck_assert_uint_eq(problems.warnings.count, 1);
	ck_assert_uint_lt(strlen(problems.warnings.items[0].message), 5000);
	ck_assert_uint_lt(strlen(problems.warnings.items[0].where), 5000);
	free(message);
}
END_TEST

START_TEST(problems_take_warnings_moves_them)
{
	_cleanup_problems_ struct problems to = {0}, from = {0};

	problems_warn(&to, "a", "one");
	problems_warn(&from, "a", "one");
	problems_warn(&from, "b", "two");
	problems_take_warnings(&to, &from);
	ck_assert_uint_eq(to.warnings.count, 2);
	ck_assert_str_eq(to.warnings.items[1].where, "b");
	ck_assert_uint_eq(from.warnings.count, 0);
}
END_TEST

START_TEST(error_set_message_that_just_fits_is_not_cut)
{
	_cleanup_error_ struct rtreg_error error = {0};

	error_set(&error, -EINVAL, NULL, "%0511d", 1);
	ck_assert_uint_eq(strlen(error.message), 511);
	ck_assert_int_eq(error.message[510], '1');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("problems");
	TCase *tcase = tcase_create("problems");

	tcase_add_test(tcase, problems_result_of_none_is_success_and_leaves_error_alone);
	tcase_add_test(tcase, problems_result_first_error_is_primary_and_others_follow);
	tcase_add_test(tcase, problems_error_the_same_twice_is_kept_once);
	tcase_add_test(tcase, problems_warn_is_no_error);
	tcase_add_test(tcase, problems_ignore_is_a_warning_too);
	tcase_add_test(tcase, problems_error_without_end_stays_bounded);
	tcase_add_test(tcase, error_set_replaces_what_was_there);
	tcase_add_test(tcase, error_set_without_error_returns_the_code);
	tcase_add_test(tcase, error_add_to_nothing_is_primary);
	tcase_add_loop_test(tcase, error_set_long_message_is_cut_between_characters, 0, 4);
	tcase_add_test(tcase, problems_warn_quoting_megabytes_stays_short);
	tcase_add_test(tcase, problems_take_warnings_moves_them);
	tcase_add_test(tcase, error_set_message_that_just_fits_is_not_cut);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
