/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/replace.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char directory[64];
static int fd = -1;

static void setup(void)
{
	strcpy(directory, "/tmp/rtreg-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
	unlinkat(fd, "a", 0);
	unlinkat(fd, ".a.new", 0);
	unlinkat(fd, ".a.old", 0);
	close(fd);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void put(const char *name, const char *text, mode_t mode)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(fchmod(file, mode), 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
}

/* "-" for a missing file. */
static void assert_file(const char *name, const char *text)
{
	char content[64] = "-";
	int file = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length;

	if (file >= 0) {
		length = read(file, content, sizeof(content) - 1);
		content[length > 0 ? length : 0] = '\0';
		close(file);
	}
	ck_assert_str_eq(content, text);
}

static void assert_alone(void)
{
	assert_file(".a.new", "-");
	assert_file(".a.old", "-");
}

START_TEST(replace_then_keep_leaves_the_new_file_alone)
{
	struct replacement replacement = {0};
	struct stat st;

	put("a", "old", 0600);
	ck_assert_int_eq(replace_file(&replacement, fd, "a", "new", 3, 0640), 0);
	assert_file("a", "new");
	ck_assert_int_eq(fstatat(fd, "a", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	replacement_keep(&replacement);
	assert_file("a", "new");
	assert_alone();
	ck_assert_int_eq(replacement_undo(&replacement), 0);
	assert_file("a", "new");
}
END_TEST

START_TEST(replace_then_undo_leaves_the_old_file_itself)
{
	struct replacement replacement = {0};
	struct stat before, after;

	put("a", "old", 0604);
	ck_assert_int_eq(fstatat(fd, "a", &before, 0), 0);
	ck_assert_int_eq(replace_file(&replacement, fd, "a", _i == 0 ? "new" : NULL, 3, 0640), 0);
	assert_file("a", _i == 0 ? "new" : "-");
	ck_assert_int_eq(replacement_undo(&replacement), 0);
	ck_assert_int_eq(fstatat(fd, "a", &after, 0), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	assert_file("a", "old");
	assert_alone();
}
END_TEST

START_TEST(replace_of_nothing_then_undo_leaves_nothing)
{
	struct replacement replacement = {0};

	ck_assert_int_eq(replace_file(&replacement, fd, "a", _i == 0 ? "new" : NULL, 3, 0640), 0);
	assert_file("a", _i == 0 ? "new" : "-");
	ck_assert_int_eq(replacement_undo(&replacement), 0);
	assert_file("a", "-");
	assert_alone();
}
END_TEST

START_TEST(replace_of_a_link_keeps_what_it_points_to)
{
	struct replacement replacement = {0};
	struct stat st;

	put("target", "old", 0600);
	ck_assert_int_eq(symlinkat("target", fd, "a"), 0);
	ck_assert_int_eq(replace_file(&replacement, fd, "a", "new", 3, 0600), 0);
	assert_file("target", "old");
	ck_assert_int_eq(replacement_undo(&replacement), 0);
	ck_assert_int_eq(fstatat(fd, "a", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(unlinkat(fd, "target", 0), 0);
}
END_TEST

START_TEST(replace_passes_over_what_a_dead_process_left)
{
	struct replacement replacement = {0};

	put("a", "old", 0600);
	put(".a.new", "half", 0600);
	put(".a.old", "older", 0600);
	ck_assert_int_eq(replace_file(&replacement, fd, "a", "new", 3, 0600), 0);
	ck_assert_int_eq(replacement_undo(&replacement), 0);
	assert_file("a", "old");
	assert_alone();
}
END_TEST

START_TEST(replace_of_a_directory_fails_and_leaves_it)
{
	struct replacement replacement = {0};
	struct stat st;

	ck_assert_int_eq(mkdirat(fd, "a", 0700), 0);
	ck_assert_int_lt(replace_file(&replacement, fd, "a", "new", 3, 0600), 0);
	ck_assert(!replacement.done);
	ck_assert_int_eq(fstatat(fd, "a", &st, 0), 0);
	ck_assert(S_ISDIR(st.st_mode));
	assert_alone();
	ck_assert_int_eq(unlinkat(fd, "a", AT_REMOVEDIR), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replace");
	TCase *tcase = tcase_create("replace");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, replace_then_keep_leaves_the_new_file_alone);
	tcase_add_loop_test(tcase, replace_then_undo_leaves_the_old_file_itself, 0, 2);
	tcase_add_loop_test(tcase, replace_of_nothing_then_undo_leaves_nothing, 0, 2);
	tcase_add_test(tcase, replace_of_a_link_keeps_what_it_points_to);
	tcase_add_test(tcase, replace_passes_over_what_a_dead_process_left);
	tcase_add_test(tcase, replace_of_a_directory_fails_and_leaves_it);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
