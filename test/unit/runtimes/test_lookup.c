/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>

#include "base/problems.h"
#include "base/text.h"
#include "runtimes/lookup.h"
#include "runtimes/temporary.h"
#include "unit.h"

static struct rtreg_error error;

static void setup(void)
{
	temporary_setup();
	ck_assert_int_eq(setenv("PATH", temporary, 1), 0);
	memset(&error, 0, sizeof(error));
}

static void teardown(void)
{
	rtreg_error_fini(&error);
	temporary_teardown();
}

/*
 * Expects failure with `error while looking up the specified runtime path: exec: "` and `rest`, in which each
 * `%` stands for the path.
 */
static void check_failure(const char *path, int code, const char *rest)
{
	_cleanup_text_ struct text expected = {0};
	char *found = (char *)"untouched";

	text_append(&expected, "error while looking up the specified runtime path: exec: \"");
	for (const char *c = rest; *c; c++) {
		if (*c == '%')
			text_append(&expected, path);
		else
			text_append_char(&expected, *c);
	}
	ck_assert_int_eq(lookup_binary(path, &found, &error), code);
	ck_assert_str_eq(error.message, text_string(&expected));
	ck_assert_str_eq(found, "untouched");
}

static void check_found(const char *path, const char *expected)
{
	char *found = NULL;

	ck_assert_int_eq(lookup_binary(path, &found, &error), 0);
	ck_assert_str_eq(found, expected);
	free(found);
}

START_TEST(lookup_binary_in_path_is_found)
{
	check_found("crun", write_file("crun", "", 0755));
}
END_TEST

START_TEST(lookup_binary_with_slash_is_returned_as_given)
{
	const char *path = write_file("crun", "", 0755);

	ck_assert_int_eq(setenv("PATH", "", 1), 0);
	check_found(path, path);
}
END_TEST

START_TEST(lookup_binary_unwanted_result_is_allowed)
{
	ck_assert_int_eq(lookup_binary(write_file("crun", "", 0755), NULL, NULL), 0);
}
END_TEST

START_TEST(lookup_binary_not_in_path_fails)
{
	check_failure("crun", -ENOENT, "%\": executable file not found in $PATH");
}
END_TEST

START_TEST(lookup_binary_without_path_variable_fails)
{
	ck_assert_int_eq(unsetenv("PATH"), 0);
	check_failure("crun", -ENOENT, "%\": executable file not found in $PATH");
}
END_TEST

START_TEST(lookup_binary_empty_name_is_not_found)
{
	check_failure("", -ENOENT, "%\": executable file not found in $PATH");
}
END_TEST

START_TEST(lookup_binary_missing_path_fails)
{
	const char *path = temporary_path("none");

	check_failure(path, -ENOENT, "%\": stat %: no such file or directory");
}
END_TEST

START_TEST(lookup_binary_below_a_file_fails)
{
	const char *path = temporary_path("file/crun");

	write_file("file", "", 0755);
	check_failure(path, -ENOENT, "%\": stat %: not a directory");
}
END_TEST

START_TEST(lookup_binary_not_executable_fails)
{
	const char *path = write_file("crun", "", 0644);

	check_failure(path, -EACCES, "%\": permission denied");
}
END_TEST

START_TEST(lookup_binary_directory_fails)
{
	const char *path = temporary_path("");

	check_failure(path, -EACCES, "%\": is a directory");
}
END_TEST

START_TEST(lookup_binary_odd_name_is_shown_on_one_line)
{
	check_failure("a\n\"\\", -ENOENT, "a\\x0a\\\"\\\\\": executable file not found in $PATH");
}
END_TEST

START_TEST(lookup_binary_first_executable_in_path_wins)
{
	char path[256];

	ck_assert_int_eq(mkdir(temporary_path("1"), 0700), 0);
	ck_assert_int_eq(mkdir(temporary_path("2"), 0700), 0);
	ck_assert_int_eq(mkdir(temporary_path("3"), 0700), 0);
	ck_assert_int_eq(mkdir(temporary_path("1/crun"), 0755), 0);
	write_file("2/crun", "", 0644);
	write_file("3/crun", "", 0755);
	snprintf(path, sizeof(path), "/nonexistent:%s/1:%s/2:%s/3", temporary, temporary, temporary);
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	check_found("crun", temporary_path("3/crun"));
}
END_TEST

static const char *const relative_paths[] = {":", ".", "::", "./", ":.:", "sub/.."};

START_TEST(lookup_binary_relative_path_elements_are_not_used)
{
	write_file("crun", "", 0755);
	ck_assert_int_eq(mkdir(temporary_path("sub"), 0700), 0);
	ck_assert_int_eq(chdir(temporary), 0);
	ck_assert_int_eq(setenv("PATH", relative_paths[_i], 1), 0);
	check_failure("crun", -ENOENT, "%\": executable file not found in $PATH");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *tcase = tcase_create("lookup");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lookup_binary_in_path_is_found);
	tcase_add_test(tcase, lookup_binary_with_slash_is_returned_as_given);
	tcase_add_test(tcase, lookup_binary_unwanted_result_is_allowed);
	tcase_add_test(tcase, lookup_binary_not_in_path_fails);
	tcase_add_test(tcase, lookup_binary_without_path_variable_fails);
	tcase_add_test(tcase, lookup_binary_empty_name_is_not_found);
	tcase_add_test(tcase, lookup_binary_missing_path_fails);
	tcase_add_test(tcase, lookup_binary_below_a_file_fails);
	tcase_add_test(tcase, lookup_binary_not_executable_fails);
	tcase_add_test(tcase, lookup_binary_directory_fails);
	tcase_add_test(tcase, lookup_binary_odd_name_is_shown_on_one_line);
	tcase_add_test(tcase, lookup_binary_first_executable_in_path_wins);
	tcase_add_loop_test(tcase, lookup_binary_relative_path_elements_are_not_used, 0,
	                    (int)ARRAY_SIZE(relative_paths));
	return unit_run(suite);
}
