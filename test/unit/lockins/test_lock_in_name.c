/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a lock-in may be called, and where that is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "lockins/name.h"
#include "unit.h"

static struct lock_in_name name;
static struct rtreg_error error;

static void teardown(void)
{
	rtreg_error_fini(&error);
}

static const char *const good_ids[] = {"a", "Z", "0", "web", "a_.-b", "a..", "0123456789abcdef"};
static const char *const bad_ids[] = {"_", "-a", ".a", "..", "a/b", "a b", "a\n", "a:b", "\xc3\xa4", "a%"};

START_TEST(lock_in_name_init_takes_good_ids)
{
	const char *id = good_ids[_i];

	ck_assert_msg(lock_in_name_init(&name, NULL, id, &error) == 0, "%s", error.message);
	ck_assert_str_eq(name.id, id);
	ck_assert_str_eq(name.root, "");
	ck_assert_str_eq(name.directory, "_");
}
END_TEST

START_TEST(lock_in_name_init_with_a_bad_id_says_what_is_allowed)
{
	const char *id = bad_ids[_i];

	ck_assert_int_eq(lock_in_name_init(&name, NULL, id, &error), -EINVAL);
	ck_assert_int_eq(error.code, -EINVAL);
	ck_assert_msg(strstr(error.message, "1 to 128"), "%s", error.message);
}
END_TEST

START_TEST(lock_in_name_init_takes_ids_of_1_to_128_bytes)
{
	char id[130];

	memset(id, 'a', sizeof(id) - 1);
	id[129] = '\0';
	ck_assert_int_eq(lock_in_name_init(&name, NULL, id, NULL), -EINVAL);
	id[128] = '\0';
	ck_assert_int_eq(lock_in_name_init(&name, NULL, id, NULL), 0);
	ck_assert_int_eq(lock_in_name_init(&name, NULL, "", NULL), -EINVAL);
	ck_assert_int_eq(lock_in_name_init(&name, NULL, NULL, NULL), -EINVAL);
}
END_TEST

/* As Go's filepath.Clean() has them. */
static const struct {
	const char *root, *clean;
} roots[] = {
        {"/a", "/a"},
        {"/a/", "/a"},
        {"//a///b//", "/a/b"},
        {"/a/./b/.", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a"},
        {"/..", "/"},
        {"/../../a", "/a"},
        {"/", "/"},
        {"///", "/"},
        {"/.", "/"},
        {"/a/..", "/"},
        {"/.a/..b/c.", "/.a/..b/c."},
        {"/a/.../b", "/a/.../b"},
        {"/a b/\xc3\xa4", "/a b/\xc3\xa4"},
        {"/a/b/c/../../d", "/a/d"},
};

START_TEST(lock_in_name_init_cleans_the_root)
{
	struct lock_in_name again;

	ck_assert_int_eq(lock_in_name_init(&name, roots[_i].root, "web", NULL), 0);
	ck_assert_str_eq(name.root, roots[_i].clean);
	ck_assert_int_eq(lock_in_name_init(&again, name.root, "web", NULL), 0);
	ck_assert_str_eq(again.root, name.root);
	ck_assert_str_eq(again.directory, name.directory);
}
END_TEST

START_TEST(lock_in_name_init_keeps_roots_apart_by_their_digest)
{
	char digest[DIGEST_LENGTH + 1];

	digest_hex("/run/x", 6, digest);
	ck_assert_int_eq(lock_in_name_init(&name, "/run//x/", "web", NULL), 0);
	ck_assert_str_eq(name.directory, digest);
	ck_assert(lock_in_directory_is_valid(name.directory));
	ck_assert_int_eq(lock_in_name_init(&name, "/run/y", "web", NULL), 0);
	ck_assert_str_ne(name.directory, digest);
}
END_TEST

static const char *const bad_roots[] = {"a", "./a", "../a", " /a", "/a\xff", "/\xc3"};

START_TEST(lock_in_name_init_with_a_bad_root_says_what_is_allowed)
{
	ck_assert_int_eq(lock_in_name_init(&name, bad_roots[_i], "web", &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "absolute path, in UTF-8, of at most 4095 bytes"));
}
END_TEST

START_TEST(lock_in_name_init_takes_roots_up_to_the_limit_of_paths)
{
	char root[PATH_MAX + 1];

	memset(root, 'a', sizeof(root) - 1);
	root[0] = '/';
	root[PATH_MAX] = '\0';
	ck_assert_int_eq(lock_in_name_init(&name, root, "web", &error), -EINVAL);
	root[PATH_MAX - 1] = '\0';
	ck_assert_int_eq(lock_in_name_init(&name, root, "web", NULL), 0);
	ck_assert_str_eq(name.root, root);
}
END_TEST

START_TEST(lock_in_name_of_an_empty_root_is_of_none)
{
	ck_assert_int_eq(lock_in_name_of_root(&name, "", NULL), 0);
	ck_assert_str_eq(name.directory, "_");
	ck_assert_str_eq(name.id, "");
}
END_TEST

static const char *const no_boot_ids[] = {"",
                                          "x",
                                          "12345678-1234-1234-1234-12345678901",
                                          "12345678-1234-1234-1234-1234567890123",
                                          "12345678-1234-1234-1234-12345678901X",
                                          "12345678x1234-1234-1234-123456789012",
                                          "123456781-234-1234-1234-123456789012",
                                          "12345678-1234-1234-1234-12345678901\n"};

START_TEST(boot_id_is_valid_refuses_what_is_none)
{
	ck_assert(!boot_id_is_valid(no_boot_ids[_i]));
}
END_TEST

START_TEST(boot_id_read_gives_this_boots)
{
	char id[BOOT_ID_LENGTH + 1] = "", again[BOOT_ID_LENGTH + 1] = "";

	ck_assert_int_eq(boot_id_read(id), 0);
	ck_assert(boot_id_is_valid(id));
	ck_assert_int_eq(boot_id_read(again), 0);
	ck_assert_str_eq(id, again);
}
END_TEST

#define COUNT(array) ((int)ARRAY_SIZE(array))

int main(void)
{
	Suite *suite = suite_create("lock_in_name");
	TCase *tcase = tcase_create("lock_in_name");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, lock_in_name_init_takes_good_ids, 0, COUNT(good_ids));
	tcase_add_loop_test(tcase, lock_in_name_init_with_a_bad_id_says_what_is_allowed, 0, COUNT(bad_ids));
	tcase_add_test(tcase, lock_in_name_init_takes_ids_of_1_to_128_bytes);
	tcase_add_loop_test(tcase, lock_in_name_init_cleans_the_root, 0, COUNT(roots));
	tcase_add_test(tcase, lock_in_name_init_keeps_roots_apart_by_their_digest);
	tcase_add_loop_test(tcase, lock_in_name_init_with_a_bad_root_says_what_is_allowed, 0,
	                    COUNT(bad_roots));
	tcase_add_test(tcase, lock_in_name_init_takes_roots_up_to_the_limit_of_paths);
	tcase_add_test(tcase, lock_in_name_of_an_empty_root_is_of_none);
	tcase_add_loop_test(tcase, boot_id_is_valid_refuses_what_is_none, 0, COUNT(no_boot_ids));
	tcase_add_test(tcase, boot_id_read_gives_this_boots);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
