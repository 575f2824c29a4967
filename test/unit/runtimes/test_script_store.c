/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

#include "base/digest.h"
#include "runtimes/scripts.h"
#include "unit.h"

/* --- the directory --- */

START_TEST(script_store_new_missing_directory_is_made)
{
	struct stat st;

	open_store();
	ck_assert_int_eq(lstat(directory, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_uint_eq(problems.warnings.count, 0);
}
END_TEST

START_TEST(script_store_new_wrong_mode_is_corrected)
{
	struct stat st;

	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chmod(directory, 0777), 0);
	open_store();
	ck_assert_int_eq(lstat(directory, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	check_warnings(1, "mode 0777 changed to 0700");
}
END_TEST

static void check_new_fails(int code, const char *part)
{
	ck_assert_int_eq(script_store_new(directory, NULL, &store, &problems, &error), code);
	ck_assert_ptr_null(store);
	ck_assert_msg(strstr(error.message, part), "%s", error.message);
	ck_assert_ptr_nonnull(strstr(error.message, temporary));
}

START_TEST(script_store_new_symbolic_link_is_refused)
{
	ck_assert_int_eq(mkdir(temporary_path("elsewhere"), 0700), 0);
	ck_assert_int_eq(symlink("elsewhere", directory), 0);
	if (_i == 1)
		strcat(directory, "/");
	check_new_fails(-ENOTDIR, "must be a directory for wrapper scripts, not a symbolic link");
}
END_TEST

START_TEST(script_store_new_file_is_refused)
{
	write_file("runtimes", "", 0700);
	check_new_fails(-ENOTDIR, "must be a directory");
}
END_TEST

START_TEST(script_store_new_missing_parent_is_an_error)
{
	strcat(directory, "/below");
	check_new_fails(-ENOENT, "No such file or directory");
}
END_TEST

START_TEST(script_store_new_foreign_owner_is_refused)
{
	ck_assert_int_eq(mkdir(directory, 0700), 0);
	if (geteuid() != 0)
		skip("needs root");
	ck_assert_int_eq(chown(directory, 12345, 12345), 0);
	check_new_fails(-EPERM, "belongs to uid 12345, not to uid 0; move it away or give it to uid 0");
}
END_TEST

START_TEST(script_store_new_unwritable_parent_is_an_error)
{
	ck_assert_int_eq(chmod(temporary, 0555), 0);
	if (geteuid() == 0 && !become_nobody())
		skip("cannot become an ordinary user");
	check_new_fails(-EACCES, "Permission denied; check owner and mode");
	(void)chmod(temporary, 0755);
}
END_TEST

/* Mounts a tmpfs at the store's directory, seen by this process alone. */
static bool mount_small(unsigned long flags, const char *options)
{
	return mkdir(directory, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", directory, "tmpfs", flags, options) == 0;
}

START_TEST(script_store_new_noexec_is_a_warning)
{
	if (!mount_small(MS_NOEXEC, "mode=0700"))
		skip("cannot mount");
	open_store();
	check_warnings(1, "mounted noexec");
}
END_TEST

/* --- adding --- */

START_TEST(script_store_add_script_is_in_place)
{
	struct script script = make_script("kata");

	add(&script, 1);
	check_right(&script);
	ck_assert_uint_eq(count_files(), 1);
	ck_assert_uint_eq(problems.warnings.count, 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_ignores_the_umask)
{
	struct script script = make_script("kata");

	umask(0777);
	add(&script, 1);
	check_right(&script);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_as_ordinary_user_works)
{
	struct script script = make_script("kata");

	if (geteuid() == 0 && !become_nobody())
		skip("cannot become an ordinary user");
	open_store();
	add(&script, 1);
	check_right(&script);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_climbing_name_stays_in_directory)
{
	struct script script = make_script("../../esc");

	add(&script, 1);
	check_right(&script);
	ck_assert_uint_eq(count_files(), 1);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_long_name_is_in_place)
{
	char name[301] = "";
	struct script script;

	memset(name, _i ? '/' : 'x', 300);
	script = make_script(name);
	add(&script, 1);
	check_right(&script);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_known_script_is_left_alone)
{
	struct script script = make_script("kata");
	struct script_batch *batch;

	add(&script, 1);
	ck_assert_int_eq(unlink(script_path(&script)), 0);
	ck_assert_int_eq(script_store_add(store, &script, 1, &batch, &problems, &error), 0);
	script_store_discard(store, batch);
	ck_assert_uint_eq(count_files(), 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_same_script_twice_is_one_file)
{
	struct script scripts[] = {make_script("kata"), make_script("kata")};

	add(scripts, 2);
	check_right(&scripts[0]);
	ck_assert_uint_eq(count_files(), 1);
	script_fini(&scripts[0]);
	script_fini(&scripts[1]);
}
END_TEST

START_TEST(script_store_add_right_file_is_adopted)
{
	struct script script = make_script("kata");
	struct stat before, after;

	write_bytes(script_path(&script), script.content, script.length, 0700);
	ck_assert_int_eq(lstat(script_path(&script), &before), 0);
	add(&script, 1);
	ck_assert_int_eq(lstat(script_path(&script), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(problems.warnings.count, 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_more_than_a_batch_all_in_place)
{
	enum { COUNT = 600 };
	struct script *scripts = make_scripts(COUNT);

	add(scripts, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		check_right(&scripts[i]);
	ck_assert_uint_eq(count_files(), COUNT);
	free_scripts(scripts, COUNT);
}
END_TEST

START_TEST(script_store_add_empty_list_is_allowed)
{
	add(NULL, 0);
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(script_store_add_without_write_permission_is_an_error)
{
	struct script script = make_script("kata");

	if (!mount_small(0, "mode=0700"))
		skip("cannot mount");
	open_store();
	ck_assert_int_eq(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	ck_assert_int_eq(script_store_add(store, &script, 1, NULL, &problems, &error), -EROFS);
	ck_assert_ptr_nonnull(strstr(error.message, script.name));
	ck_assert_ptr_nonnull(strstr(error.message, "Read-only file system; remount"));
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_full_disk_leaves_nothing)
{
	enum { COUNT = 300 };
	struct script *scripts = make_scripts(COUNT);
	char message[600];

	if (!mount_small(0, "mode=0700,size=1100k"))
		skip("cannot mount");
	open_store();
	ck_assert_int_eq(script_store_add(store, scripts, COUNT, NULL, &problems, &error), -ENOSPC);
	snprintf(message, sizeof(message), "cannot write wrapper script %s/", directory);
	ck_assert_int_eq(strncmp(error.message, message, strlen(message)), 0);
	ck_assert_ptr_nonnull(strstr(error.message, ": No space left on device; free some space and reload"));
	ck_assert_uint_eq(count_files(), 0);
	/* What there is room for can still be added. */
	add(scripts, 10);
	check_right(&scripts[9]);
	free_scripts(scripts, COUNT);
}
END_TEST

START_TEST(script_store_add_without_descriptors_writes_smaller_batches)
{
	enum { COUNT = 40 };
	struct rlimit few = {.rlim_cur = 16, .rlim_max = 16};
	struct script *scripts = make_scripts(COUNT);

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	add(scripts, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		check_right(&scripts[i]);
	free_scripts(scripts, COUNT);
}
END_TEST

/* --- discarding --- */

START_TEST(script_store_discard_removes_what_was_created)
{
	struct script old = make_script("old"), new = make_script("new");
	struct script_batch *batch;

	add(&old, 1);
	ck_assert_int_eq(script_store_add(store, &new, 1, &batch, &problems, &error), 0);
	script_store_discard(store, batch);
	check_right(&old);
	ck_assert_uint_eq(count_files(), 1);
	script_fini(&old);
	script_fini(&new);
}
END_TEST

START_TEST(script_store_discard_forgets_what_was_created)
{
	struct script script = make_script("kata");
	struct script_batch *batch;

	ck_assert_int_eq(script_store_add(store, &script, 1, &batch, &problems, &error), 0);
	script_store_discard(store, batch);
	repair();
	ck_assert_uint_eq(count_files(), 0);
	add(&script, 1);
	check_right(&script);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_discard_keeps_adopted_and_repaired)
{
	struct script scripts[] = {make_script("adopted"), make_script("damaged"), make_script("new")};
	struct script_batch *batch;

	write_bytes(script_path(&scripts[0]), scripts[0].content, scripts[0].length, 0700);
	write_bytes(script_path(&scripts[1]), "x", 1, 0700);
	ck_assert_int_eq(script_store_add(store, scripts, 3, &batch, &problems, &error), 0);
	script_store_discard(store, batch);
	check_right(&scripts[0]);
	check_right(&scripts[1]);
	ck_assert_uint_eq(count_files(), 2);
	for (int i = 0; i < 3; i++)
		script_fini(&scripts[i]);
}
END_TEST

/* --- damage --- */

static void damage_content(const char *path, const struct script *script)
{
	char content[200];

	memset(content, 'x', sizeof(content));
	ck_assert_uint_lt(script->length, sizeof(content));
	write_bytes(path, content, script->length, 0700);
}

/* As somebody who hides it would. */
static void damage_content_keeping_times(const char *path, const struct script *script)
{
	struct timespec times[2];
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	damage_content(path, script);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void damage_length(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(truncate(path, 3), 0);
}

static void damage_mode(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(chmod(path, 0777), 0);
}

static void damage_set_user_id(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(chmod(path, 04700), 0);
}

static void damage_no_mode(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(chmod(path, 0), 0);
}

static void damage_owner(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(chown(path, 12345, 12345), 0);
}

static void damage_link(const char *path, const struct script *script)
{
	(void)script;
	write_file("target", "untouched", 0700);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(temporary_path("target"), path), 0);
}

static void damage_fifo(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0700), 0);
}

/* Until the end of the test's process. */
static void damage_writer(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_ge(open(path, O_WRONLY | O_CLOEXEC), 0);
}

static void damage_missing(const char *path, const struct script *script)
{
	(void)script;
	ck_assert_int_eq(unlink(path), 0);
}

static const struct {
	void (*damage)(const char *path, const struct script *script);
	const char *fault;
	bool needs_root;
} damages[] = {
        {damage_content, "content changed", false},  {damage_content_keeping_times, "content changed", false},
        {damage_length, "content changed", false},   {damage_mode, "mode changed", false},
        {damage_set_user_id, "mode changed", false}, {damage_no_mode, "mode changed", false},
        {damage_owner, "owner changed", true},       {damage_link, "not a regular file", false},
        {damage_fifo, "not a regular file", false},  {damage_writer, "open for writing", false},
        {damage_missing, "missing", false}, /* last: a new script is no damage */
};

START_TEST(script_store_repair_damaged_script_is_put_right)
{
	struct script script = make_script("kata");

	if (damages[_i].needs_root && geteuid() != 0)
		skip("needs root");
	add(&script, 1);
	damages[_i].damage(script_path(&script), &script);
	repair();
	check_right(&script);
	check_warnings(1, damages[_i].fault);
	ck_assert_uint_eq(count_files(), 1);
	script_fini(&script);
}
END_TEST

/* The second copy of a lock-in's script may hold anything that the digest in its name proves. */
START_TEST(script_store_repair_content_with_a_nul_is_put_right_whole)
{
	static const char content[] = "#!/bin/sh\nexit 7\n\0behind it\n";
	struct script script = {.content = malloc(sizeof(content)), .length = sizeof(content)};
	char found[sizeof(content) + 1];
	int fd;

	memcpy(script.content, content, sizeof(content));
	strcpy(script.name, "kata.");
	digest_hex(script.content, script.length, script.name + strlen(script.name));
	ck_assert_int_eq(script_store_restore(store, &script, 1, &problems, &error), 0);
	ck_assert_int_eq(unlink(script_path(&script)), 0);
	repair();
	fd = open(script_path(&script), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, found, sizeof(found)), (ssize_t)script.length);
	close(fd);
	ck_assert_mem_eq(found, content, script.length);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_damaged_file_is_put_right)
{
	struct script script = make_script("kata");

	if (damages[_i].needs_root && geteuid() != 0)
		skip("needs root");
	write_bytes(script_path(&script), script.content, script.length, 0700);
	damages[_i].damage(script_path(&script), &script);
	add(&script, 1);
	check_right(&script);
	check_warnings(1, damages[_i].fault);
	ck_assert_uint_eq(count_files(), 1);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_repair_symbolic_link_is_replaced_not_followed)
{
	struct script script = make_script("kata");
	char content[16] = "";
	int fd;

	add(&script, 1);
	damage_link(script_path(&script), &script);
	repair();
	fd = open(temporary_path("target"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, content, sizeof(content) - 1), 9);
	close(fd);
	ck_assert_str_eq(content, "untouched");
	script_fini(&script);
}
END_TEST

START_TEST(script_store_repair_right_scripts_are_left_alone)
{
	struct script script = make_script("kata");
	struct stat before, after;

	add(&script, 1);
	ck_assert_int_eq(lstat(script_path(&script), &before), 0);
	repair();
	repair();
	ck_assert_int_eq(lstat(script_path(&script), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(problems.warnings.count, 0);
	script_fini(&script);
}
END_TEST

/* Whether a repair opens the script, as the directory tells. */
static bool repair_opens(int watch)
{
	char events[4096];

	while (read(watch, events, sizeof(events)) > 0)
		;
	repair();
	return read(watch, events, sizeof(events)) > 0;
}

START_TEST(script_store_repair_opens_only_what_others_have_opened)
{
	struct script script = make_script("kata");
	_cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int tries = 1000;

	add(&script, 1);
	ck_assert_int_ge(inotify_add_watch(watch, directory, IN_OPEN), 0);
	/* Until its times are long enough ago, and we have seen that nobody else has it open. */
	while (repair_opens(watch) && --tries > 0)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	ck_assert_int_gt(tries, 0);
	close(open(script_path(&script), O_RDONLY | O_CLOEXEC));
	ck_assert(repair_opens(watch));
	ck_assert(!repair_opens(watch));
	damage_writer(script_path(&script), &script);
	repair();
	check_warnings(1, "open for writing");
	check_right(&script);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_repair_touched_script_is_no_damage)
{
	struct script script = make_script("kata");

	add(&script, 1);
	ck_assert_int_eq(utimensat(AT_FDCWD, script_path(&script), NULL, 0), 0);
	repair();
	ck_assert_uint_eq(problems.warnings.count, 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_repair_directory_in_its_place_is_an_error)
{
	struct script scripts[] = {make_script("a"), make_script("b"), make_script("c")};
	char message[700];

	add(scripts, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(unlink(script_path(&scripts[i])), 0);
	ck_assert_int_eq(mkdir(script_path(&scripts[1]), 0700), 0);
	ck_assert_int_eq(script_store_repair(store, NULL, &problems, &error), -EISDIR);
	snprintf(message, sizeof(message),
	         "cannot write wrapper script %s: Is a directory; move the directory away "
	         "and reload",
	         script_path(&scripts[1]));
	ck_assert_str_eq(error.message, message);
	/* The others are put right all the same, and nothing else is left. */
	check_right(&scripts[0]);
	check_right(&scripts[2]);
	ck_assert_uint_eq(count_files(), 3);
	for (int i = 0; i < 3; i++)
		script_fini(&scripts[i]);
}
END_TEST

START_TEST(script_store_repair_removed_directory_is_made_anew)
{
	struct script scripts[] = {make_script("a"), make_script("b")};

	add(scripts, 2);
	ck_assert_int_eq(rename(directory, temporary_path("moved")), 0);
	repair();
	check_right(&scripts[0]);
	check_right(&scripts[1]);
	ck_assert_ptr_nonnull(strstr(problems.warnings.items[0].message, "was removed or replaced"));
	script_fini(&scripts[0]);
	script_fini(&scripts[1]);
}
END_TEST

START_TEST(script_store_repair_opened_directory_is_closed_again)
{
	struct stat st;

	ck_assert_int_eq(chmod(directory, 0777), 0);
	repair();
	ck_assert_int_eq(lstat(directory, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	check_warnings(1, "mode 0777 changed to 0700");
}
END_TEST

/* --- sweeping --- */

START_TEST(script_store_sweep_removes_unknown_files_alone)
{
	struct script script = make_script("kata");

	add(&script, 1);
	write_file("runtimes/.tmp.123.4", "", 0700);
	write_file("runtimes/old.0123", "", 0700);
	ck_assert_int_eq(symlink("/nonexistent", temporary_path("runtimes/link")), 0);
	script_store_sweep(store, &problems);
	check_right(&script);
	ck_assert_uint_eq(count_files(), 1);
	ck_assert_uint_eq(problems.warnings.count, 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_sweep_leaves_directories_with_a_warning)
{
	ck_assert_int_eq(mkdir(temporary_path("runtimes/sub"), 0700), 0);
	script_store_sweep(store, &problems);
	ck_assert_uint_eq(count_files(), 1);
	check_warnings(1, "runtimes/sub is not a wrapper script and was left alone");
}
END_TEST

static void add_directory_tests(Suite *suite)
{
	TCase *tcase = tcase_create("directory");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, scripts_setup, scripts_teardown);
	tcase_add_test(tcase, script_store_new_missing_directory_is_made);
	tcase_add_test(tcase, script_store_new_wrong_mode_is_corrected);
	tcase_add_loop_test(tcase, script_store_new_symbolic_link_is_refused, 0, 2);
	tcase_add_test(tcase, script_store_new_file_is_refused);
	tcase_add_test(tcase, script_store_new_missing_parent_is_an_error);
	tcase_add_test(tcase, script_store_new_foreign_owner_is_refused);
	tcase_add_test(tcase, script_store_new_unwritable_parent_is_an_error);
	tcase_add_test(tcase, script_store_new_noexec_is_a_warning);
	tcase_add_test(tcase, script_store_add_as_ordinary_user_works);
	tcase_add_test(tcase, script_store_add_without_write_permission_is_an_error);
	tcase_add_test(tcase, script_store_add_full_disk_leaves_nothing);
}

static void add_content_tests(Suite *suite)
{
	TCase *tcase = tcase_create("content");
	int damage_count = (int)ARRAY_SIZE(damages);

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, scripts_setup_open, scripts_teardown);
	tcase_add_test(tcase, script_store_add_script_is_in_place);
	tcase_add_test(tcase, script_store_add_ignores_the_umask);
	tcase_add_test(tcase, script_store_add_climbing_name_stays_in_directory);
	tcase_add_loop_test(tcase, script_store_add_long_name_is_in_place, 0, 2);
	tcase_add_test(tcase, script_store_add_known_script_is_left_alone);
	tcase_add_test(tcase, script_store_add_same_script_twice_is_one_file);
	tcase_add_test(tcase, script_store_add_right_file_is_adopted);
	tcase_add_test(tcase, script_store_add_more_than_a_batch_all_in_place);
	tcase_add_test(tcase, script_store_add_empty_list_is_allowed);
	tcase_add_test(tcase, script_store_add_without_descriptors_writes_smaller_batches);
	tcase_add_test(tcase, script_store_discard_removes_what_was_created);
	tcase_add_test(tcase, script_store_discard_forgets_what_was_created);
	tcase_add_test(tcase, script_store_discard_keeps_adopted_and_repaired);
	tcase_add_loop_test(tcase, script_store_repair_damaged_script_is_put_right, 0, damage_count);
	tcase_add_test(tcase, script_store_repair_content_with_a_nul_is_put_right_whole);
	tcase_add_loop_test(tcase, script_store_add_damaged_file_is_put_right, 0, damage_count - 1);
	tcase_add_test(tcase, script_store_repair_symbolic_link_is_replaced_not_followed);
	tcase_add_test(tcase, script_store_repair_right_scripts_are_left_alone);
	tcase_add_test(tcase, script_store_repair_opens_only_what_others_have_opened);
	tcase_add_test(tcase, script_store_repair_touched_script_is_no_damage);
	tcase_add_test(tcase, script_store_repair_directory_in_its_place_is_an_error);
	tcase_add_test(tcase, script_store_repair_removed_directory_is_made_anew);
	tcase_add_test(tcase, script_store_repair_opened_directory_is_closed_again);
	tcase_add_test(tcase, script_store_sweep_removes_unknown_files_alone);
	tcase_add_test(tcase, script_store_sweep_leaves_directories_with_a_warning);
}

int main(void)
{
	Suite *suite = suite_create("script_store");

	add_directory_tests(suite);
	add_content_tests(suite);
	return unit_run(suite);
}
