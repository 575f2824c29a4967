/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A lock-in as a value, and as JSON. */
#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "lockins/lock_in.h"
#include "unit.h"

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

static const struct rtreg_lock_in full = {
        .id = "web",
        .root = "/run/x y",
        .runtime = "kata \"\n\\ \xc3\xa4",
        .shim = "io.x.v1",
        .options_json =
                "{\"BinaryName\":\"/b\",\"f\":1.50e3,\"n\":123456789012345678901234567890,\"l\":[{}]}",
        .binary = "/b",
        .wrapper = "/w",
        .boot_id = BOOT,
        .locked = "2026-01-02T03:04:05.678901234Z",
        .generation = 7,
};
static const struct rtreg_lock_in least = {
        .id = "a", .root = "", .runtime = "r", .shim = "s", .locked = "t", .generation = 0};

static struct rtreg_lock_in found;
static struct rtreg_error error;
static struct text text;

static void teardown(void)
{
	rtreg_lock_in_fini(&found);
	rtreg_error_fini(&error);
	text_fini(&text);
}

static void assert_same(const struct rtreg_lock_in *a, const struct rtreg_lock_in *b)
{
	ck_assert_pstr_eq(a->id, b->id);
	ck_assert_pstr_eq(a->root, b->root);
	ck_assert_pstr_eq(a->runtime, b->runtime);
	ck_assert_pstr_eq(a->shim, b->shim);
	ck_assert_pstr_eq(a->options_json, b->options_json);
	ck_assert_pstr_eq(a->binary, b->binary);
	ck_assert_pstr_eq(a->wrapper, b->wrapper);
	ck_assert_pstr_eq(a->boot_id, b->boot_id);
	ck_assert_pstr_eq(a->locked, b->locked);
	ck_assert_uint_eq(a->generation, b->generation);
}

START_TEST(lock_in_parse_gives_back_what_was_written)
{
	const struct rtreg_lock_in *written = _i == 0 ? &full : &least;

	lock_in_write(&text, written);
	ck_assert_msg(lock_in_parse(text.data, text.length, &found, &error) == 0, "%s", error.message);
	assert_same(&found, written);
	ck_assert_str_eq(found.json, text.data);
	ck_assert(!found.created);
}
END_TEST

START_TEST(lock_in_write_is_one_line_with_null_for_what_there_is_not)
{
	lock_in_write(&text, &least);
	ck_assert_str_eq(text.data,
	                 "{\"id\":\"a\",\"root\":\"\",\"runtime\":\"r\",\"shim\":\"s\",\"options\":null,"
	                 "\"binary\":null,\"wrapper\":null,\"generation\":0,\"locked\":\"t\"}");
	text_fini(&text);
	lock_in_write(&text, &full);
	ck_assert_ptr_null(strchr(text.data, '\n'));
}
END_TEST

START_TEST(lock_in_copy_shares_nothing)
{
	struct rtreg_lock_in copy;

	lock_in_write(&text, &full);
	ck_assert_int_eq(lock_in_parse(text.data, text.length, &found, NULL), 0);
	ck_assert_int_eq(lock_in_copy(&found, &copy), 0);
	ck_assert_ptr_ne(copy.memory, found.memory);
	rtreg_lock_in_fini(&found);
	assert_same(&copy, &full);
	rtreg_lock_in_fini(&copy);
	ck_assert_ptr_null(copy.id);
}
END_TEST

/* What one may find in a file. */
#define WITH(member)                                                                                \
	"{\"id\":\"a\",\"root\":\"\",\"runtime\":\"r\",\"shim\":\"s\",\"generation\":1,\"locked\":" \
	"\"t\"," member "}"
static const char *const bad[] = {
        "",
        " ",
        "{",
        "null",
        "[]",
        "\"a\"",
        "{}",
        "{\"id\":\"a\"}",
        "{\"id\":1,\"root\":\"\",\"runtime\":\"r\",\"shim\":\"s\",\"generation\":1,\"locked\":\"t\"}",
        "{\"id\":\"a\",\"root\":\"\",\"runtime\":\"r\",\"shim\":\"s\",\"locked\":\"t\"}",
        "{\"id\":\"a\",\"root\":\"\",\"runtime\":\"r\",\"shim\":\"s\",\"generation\":-1,\"locked\":\"t\"}",
        "{\"id\":\"a\",\"root\":\"\",\"runtime\":\"r\",\"shim\":\"s\",\"generation\":\"1\",\"locked\":\"t\"}",
        "{\"id\":\"a\",\"root\":\"\",\"runtime\":null,\"shim\":\"s\",\"generation\":1,\"locked\":\"t\"}",
        WITH("\"options\":\"x\""),
        WITH("\"options\":[]"),
        WITH("\"binary\":1"),
        WITH("\"wrapper\":{}"),
        WITH("\"boot-id\":\"x\""),
        WITH("\"binary\":\"a\\u0000b\""),
        WITH("\"binary\":\"\xff\""),
        WITH("\"binary\":null}{"),
};

START_TEST(lock_in_parse_refuses_what_is_none)
{
	int r = lock_in_parse(bad[_i], strlen(bad[_i]), &found, &error);

	ck_assert_msg(r == -EBADMSG, "%s: %d", bad[_i], r);
	ck_assert_int_eq(error.code, -EBADMSG);
	ck_assert_str_ne(error.message, "");
	ck_assert_ptr_null(found.memory);
}
END_TEST

START_TEST(lock_in_parse_of_a_part_of_one_refuses_each)
{
	lock_in_write(&text, &full);
	for (size_t length = 0; length < text.length; length++)
		ck_assert_int_eq(lock_in_parse(text.data, length, &found, NULL), -EBADMSG);
}
END_TEST

START_TEST(lock_in_parse_runtime_needs_no_more_than_a_runtime)
{
	static const char runtime[] =
	        "{\"runtime\":\"r\",\"shim\":\"s\",\"options\":{\"a\":1},\"binary\":null}";

	ck_assert_int_eq(lock_in_parse(runtime, strlen(runtime), &found, NULL), -EBADMSG);
	ck_assert_int_eq(lock_in_parse_runtime(runtime, strlen(runtime), &found, NULL), 0);
	ck_assert_str_eq(found.runtime, "r");
	ck_assert_str_eq(found.options_json, "{\"a\":1}");
	ck_assert_str_eq(found.id, "");
	ck_assert_ptr_null(found.binary);
}
END_TEST

START_TEST(lock_in_option_finds_strings_alone)
{
	char *option = NULL;

	ck_assert_int_eq(lock_in_option(&full, "BinaryName", &option), 0);
	ck_assert_str_eq(option, "/b");
	free(option);
	ck_assert_int_eq(lock_in_option(&full, "f", &option), 0);
	ck_assert_ptr_null(option);
	ck_assert_int_eq(lock_in_option(&full, "binaryname", &option), 0);
	ck_assert_ptr_null(option);
	ck_assert_int_eq(lock_in_option(&least, "BinaryName", &option), 0);
	ck_assert_ptr_null(option);
}
END_TEST

START_TEST(exit_code_is_what_an_engine_sets)
{
	struct rtreg_error not_found = {.code = -ENOENT}, not_executable = {.code = -EACCES},
	                   other = {.code = -EIO};

	ck_assert_int_eq(rtreg_exit_code(&not_found), 127);
	ck_assert_int_eq(rtreg_exit_code(&not_executable), 126);
	ck_assert_int_eq(rtreg_exit_code(&other), 125);
	ck_assert_int_eq(rtreg_exit_code(NULL), 125);
}
END_TEST

START_TEST(lock_in_fini_takes_null_and_nothing)
{
	struct rtreg_lock_in nothing = {0};

	rtreg_lock_in_fini(NULL);
	rtreg_lock_in_fini(&nothing);
	rtreg_lock_ins_free(NULL, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock_in_json");
	TCase *tcase = tcase_create("lock_in_json");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, lock_in_parse_gives_back_what_was_written, 0, 2);
	tcase_add_test(tcase, lock_in_write_is_one_line_with_null_for_what_there_is_not);
	tcase_add_test(tcase, lock_in_copy_shares_nothing);
	tcase_add_loop_test(tcase, lock_in_parse_refuses_what_is_none, 0, (int)ARRAY_SIZE(bad));
	tcase_add_test(tcase, lock_in_parse_of_a_part_of_one_refuses_each);
	tcase_add_test(tcase, lock_in_parse_runtime_needs_no_more_than_a_runtime);
	tcase_add_test(tcase, lock_in_option_finds_strings_alone);
	tcase_add_test(tcase, exit_code_is_what_an_engine_sets);
	tcase_add_test(tcase, lock_in_fini_takes_null_and_nothing);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
