/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start makes of lock-ins and their scripts, and what it keeps for those without (docs/lockins.md). */
#include "flavor.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define OTHER_BOOT "01234567-89ab-cdef-0123-456789abcdef"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static struct rtreg_lock_in locked;
static char logged[8192], kept[512];

static void note(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level == RTREG_LOG_WARN)
		snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%s\n", message);
}

static void open_registry(void)
{
	logged[0] = '\0';
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

static void close_registry(void)
{
	rtreg_close(registry);
	registry = NULL;
}

static void must(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, error.message);
}

static const char *state_path(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", sandbox.state, name);
	return path;
}

/* Container web is locked in to a runtime whose arguments are gone from the configuration since; all is closed. */
static void setup(void)
{
	sandbox_init(&sandbox);
	sandbox.options.log = note;
	sandbox_write(&sandbox, "{\"runtimes\":{\"args\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"--x\"]},"
	                        "\"unused\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"--y\"]}}}");
	open_registry();
	must(rtreg_lock_in(registry, NULL, "web", "args", &locked, &error));
	close_registry();
	snprintf(kept, sizeof(kept), "%s/lock-ins/scripts/%s", sandbox.state,
	         strrchr(locked.wrapper, '.') + 1);
	sandbox_write(&sandbox, "{\"runtimes\":{\"args\":{\"path\":\"/bin/true\"}}}");
}

static void teardown(void)
{
	rtreg_lock_in_fini(&locked);
	close_registry();
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static void read_text(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ret[fread(ret, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static size_t count_in(const char *name)
{
	DIR *directory = opendir(state_path(name));
	size_t count = 0;

	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return directory ? count - 2 : 0;
}

static uint64_t repaired(void)
{
	struct rtreg_statistics statistics;

	rtreg_statistics(registry, &statistics, sizeof(statistics));
	return statistics.scripts_repaired;
}

static void assert_script_right(const char *path, mode_t mode)
{
	char text[256];
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | mode);
	read_text(path, text, sizeof(text));
	ck_assert_str_eq(text, "#!/bin/sh\nexec '/bin/true' '--x' \"$@\"\n");
}

static void assert_locked(void)
{
	struct rtreg_lock_in now = {0};

	must(rtreg_locked(registry, NULL, "web", &now, &error));
	ck_assert_str_eq(now.json, locked.json);
	rtreg_lock_in_fini(&now);
	assert_script_right(locked.wrapper, 0700);
	assert_script_right(kept, 0600);
}

/* --- scripts --- */

START_TEST(start_keeps_the_scripts_that_lock_ins_need)
{
	open_registry();
	assert_locked();
	ck_assert_uint_eq(count_in("runtimes"), 1);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 1);
	ck_assert_uint_eq(repaired(), 0);
	ck_assert_msg(!strstr(logged, "wrapper"), "%s", logged);
}
END_TEST

static void remove_it(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
}

static void truncate_it(const char *path)
{
	ck_assert_int_eq(truncate(path, 15), 0);
}

static void change_mode(const char *path)
{
	ck_assert_int_eq(chmod(path, 0644), 0);
}

static void link_it(const char *path)
{
	remove_it(path);
	ck_assert_int_eq(symlink("/bin/false", path), 0);
}

static void (*const damages[])(const char *path) = {remove_it, truncate_it, change_mode, link_it};

START_TEST(start_puts_a_script_right_that_a_lock_in_needs_and_tells_of_it)
{
	damages[_i](locked.wrapper);
	open_registry();
	assert_locked();
	ck_assert_uint_eq(repaired(), 1);
	ck_assert_msg(strstr(logged, locked.wrapper) && strstr(logged, "put right"), "%s", logged);
}
END_TEST

START_TEST(reload_puts_a_script_right_that_a_lock_in_needs)
{
	open_registry();
	damages[_i](locked.wrapper);
	must(rtreg_reload(registry, NULL, 0, NULL, &error));
	assert_locked();
	ck_assert_uint_eq(repaired(), 1);
}
END_TEST

/* Either of the two copies is enough for the other. */
START_TEST(start_puts_the_second_copy_right)
{
	damages[_i == 1 ? 1 : 0](kept);
	open_registry();
	assert_locked();
	ck_assert_ptr_nonnull(strstr(logged, "second copy"));
}
END_TEST

static void make_it_a_directory(const char *path)
{
	remove_it(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* One is enough to start with: containers run. */
START_TEST(start_with_a_second_copy_that_cannot_be_put_right_goes_on)
{
	make_it_a_directory(kept);
	open_registry();
	assert_script_right(locked.wrapper, 0700);
	ck_assert_msg(strstr(logged, "second copy") && strstr(logged, "move the directory away"), "%s",
	              logged);
	close_registry();
	ck_assert_int_eq(rmdir(kept), 0);
	open_registry();
	assert_locked();
}
END_TEST

START_TEST(start_with_a_lost_script_says_so)
{
	remove_it(kept);
	truncate_it(locked.wrapper);
	open_registry();
	ck_assert_msg(strstr(logged, locked.wrapper) && strstr(logged, "is lost"), "%s", logged);
	ck_assert_uint_eq(repaired(), 0);
	ck_assert_uint_eq(count_in("lock-ins/_"), 1);
}
END_TEST

START_TEST(start_after_an_unlock_removes_the_scripts)
{
	open_registry();
	must(rtreg_unlock(registry, NULL, "web", &error));
	assert_script_right(locked.wrapper, 0700);
	close_registry();
	open_registry();
	ck_assert_uint_eq(count_in("runtimes"), 0);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 0);
	ck_assert_int_lt(access(state_path("lock-ins/_"), F_OK), 0);
}
END_TEST

START_TEST(start_in_a_state_directory_that_was_moved_goes_by_the_names_of_scripts)
{
	char moved[256], path[512];

	snprintf(moved, sizeof(moved), "%s-moved", sandbox.state);
	ck_assert_int_eq(rename(sandbox.state, moved), 0);
	sandbox.options.state_dir = moved;
	snprintf(path, sizeof(path), "%s/runtimes/%s", moved, strrchr(locked.wrapper, '/') + 1);
	remove_it(path);
	open_registry();
	assert_script_right(path, 0700);
}
END_TEST

/* --- what is no lock-in --- */

static void plant_half(const char *path)
{
	write_text(path, "{\"id\":\"db\"");
}

static void plant_link(const char *path)
{
	ck_assert_int_eq(symlink("web", path), 0);
}

static void plant_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void plant_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void plant_gigabyte(const char *path)
{
	write_text(path, "");
	ck_assert_int_eq(truncate(path, (off_t)1 << 30), 0);
}

static void (*const strangers[])(const char *path) = {plant_half, plant_link, plant_directory, plant_fifo,
                                                      plant_gigabyte};

/* It may have been one, and of any script. */
START_TEST(start_with_what_is_no_lock_in_says_so_and_removes_no_script)
{
	strangers[_i](state_path("lock-ins/_/db"));
	open_registry();
	assert_locked();
	ck_assert_msg(strstr(logged, state_path("lock-ins/_/db")), "%s", logged);
	ck_assert_uint_eq(count_in("lock-ins/_"), 2);
	ck_assert_uint_eq(count_in("runtimes"), 2);
}
END_TEST

/* The lock-ins that were there may be found again. */
START_TEST(start_with_a_root_that_is_no_directory_says_so_and_removes_no_script)
{
	ck_assert_int_eq(rename(state_path("lock-ins/_"), state_path("away")), 0);
	if (_i == 0)
		ck_assert_int_eq(symlink("../away", state_path("lock-ins/_")), 0);
	else
		write_text(state_path("lock-ins/_"), "");
	open_registry();
	assert_script_right(locked.wrapper, 0700);
	assert_script_right(kept, 0600);
	ck_assert_msg(strstr(logged, state_path("lock-ins/_ is no directory")), "%s", logged);
	ck_assert_uint_eq(count_in("away"), 1);
}
END_TEST

START_TEST(start_with_a_name_that_is_none_says_so)
{
	write_text(state_path("lock-ins/_/web~"), "");
	open_registry();
	ck_assert_ptr_nonnull(strstr(logged, "lock-ins/_/web~ is not a lock-in"));
	ck_assert_uint_eq(count_in("runtimes"), 1);
}
END_TEST

START_TEST(start_removes_dot_files)
{
	write_text(state_path("lock-ins/_/.tmp.1"), "{");
	write_text(state_path("lock-ins/scripts/.tmp.1"), "#!");
	open_registry();
	assert_locked();
	ck_assert_uint_eq(count_in("lock-ins/_"), 1);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 1);
}
END_TEST

/* --- boots --- */

START_TEST(start_removes_lock_ins_of_another_boot_alone)
{
	char boot[64];

	read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	boot[strcspn(boot, "\n")] = '\0';
	open_registry();
	must(rtreg_lock_in_for_boot(registry, "/x", "old", "io.x.v1", OTHER_BOOT, NULL, &error));
	must(rtreg_lock_in_for_boot(registry, NULL, "now", "io.x.v1", boot, NULL, &error));
	close_registry();
	open_registry();
	ck_assert_int_eq(rtreg_locked(registry, "/x", "old", NULL, NULL), -ESRCH);
	must(rtreg_locked(registry, NULL, "now", NULL, &error));
	ck_assert_uint_eq(count_in("lock-ins"), 2);
}
END_TEST

/* --- the default runtime --- */

static int reload(const char *config)
{
	struct rtreg_source source = {.bytes = config, .size = strlen(config)};

	return rtreg_reload(registry, &source, 0, NULL, &error);
}

static void assert_default(const char *beginning)
{
	char text[1024];

	read_text(state_path("default-runtime"), text, sizeof(text));
	ck_assert_msg(strncmp(text, beginning, strlen(beginning)) == 0, "%s", text);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}

START_TEST(default_runtime_is_kept_for_those_without_a_lock_in)
{
	open_registry();
	assert_default("{\"runtime\":\"runc\",\"shim\":\"io.containerd.runc.v2\",\"options\":{\"BinaryName\":"
	               "\"runc\",");
	must(reload("{\"default-runtime\":\"t\",\"runtimes\":{\"t\":{\"runtimeType\":\"io.t.v1\","
	            "\"options\":{\"BinaryName\":\"crun\"}}}}"));
	assert_default("{\"runtime\":\"t\",\"shim\":\"io.t.v1\",\"options\":{\"BinaryName\":\"crun\"},"
	               "\"binary\":null,\"wrapper\":null}");
	must(reload("{\"default-runtime\":\"io.q.v1\"}"));
	assert_default("{\"runtime\":\"io.q.v1\",\"shim\":\"io.q.v1\",\"options\":null,");
}
END_TEST

START_TEST(default_runtime_is_written_only_where_it_changes)
{
	struct stat before, after;

	open_registry();
	ck_assert_int_eq(stat(state_path("default-runtime"), &before), 0);
	ck_assert_uint_eq(before.st_mode & 07777, 0600);
	must(reload("{\"debug\":true}"));
	ck_assert_int_eq(stat(state_path("default-runtime"), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	/* One that was changed by hand is put right by a reload that changes nothing. */
	write_text(state_path("default-runtime"), "{}");
	must(reload("{\"debug\":true}"));
	assert_default("{\"runtime\":\"runc\"");
}
END_TEST

/* It says what is executed: nobody else may change it between two reloads. */
START_TEST(default_runtime_that_others_may_write_to_is_put_right)
{
	struct stat st;

	open_registry();
	ck_assert_int_eq(chmod(state_path("default-runtime"), 0666), 0);
	must(reload("{\"debug\":true}"));
	ck_assert_int_eq(stat(state_path("default-runtime"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	assert_default("{\"runtime\":\"runc\"");
}
END_TEST

START_TEST(default_runtime_that_cannot_be_written_is_told_by_the_reload)
{
	struct rtreg_report *report;

	open_registry();
	remove_it(state_path("default-runtime"));
	ck_assert_int_eq(mkdir(state_path("default-runtime"), 0700), 0);
	must(rtreg_reload(registry, NULL, RTREG_RELOAD_FORCE, &report, &error));
	ck_assert_msg(strstr(rtreg_report_json(report), "cannot write default-runtime"), "%s",
	              rtreg_report_json(report));
	rtreg_report_free(report);
	close_registry();
	open_registry();
	ck_assert_ptr_nonnull(strstr(logged, "cannot write default-runtime"));
}
END_TEST

START_TEST(dry_run_writes_no_default_runtime)
{
	static const char other[] = "{\"default-runtime\":\"io.q.v1\"}";
	struct rtreg_source source = {.bytes = other, .size = sizeof(other) - 1};

	open_registry();
	must(rtreg_reload(registry, &source, RTREG_RELOAD_DRY_RUN, NULL, &error));
	assert_default("{\"runtime\":\"runc\"");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *make_case(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	return tcase;
}

static TCase *make_lock_ins_case(void)
{
	TCase *tcase = make_case("lock-ins");

	tcase_add_test(tcase, start_keeps_the_scripts_that_lock_ins_need);
	tcase_add_loop_test(tcase, start_puts_a_script_right_that_a_lock_in_needs_and_tells_of_it, 0,
	                    COUNT(damages));
	tcase_add_loop_test(tcase, reload_puts_a_script_right_that_a_lock_in_needs, 0, COUNT(damages));
	tcase_add_loop_test(tcase, start_puts_the_second_copy_right, 0, 2);
	tcase_add_test(tcase, start_with_a_second_copy_that_cannot_be_put_right_goes_on);
	tcase_add_test(tcase, start_with_a_lost_script_says_so);
	tcase_add_test(tcase, start_after_an_unlock_removes_the_scripts);
	tcase_add_test(tcase, start_in_a_state_directory_that_was_moved_goes_by_the_names_of_scripts);
	tcase_add_loop_test(tcase, start_with_what_is_no_lock_in_says_so_and_removes_no_script, 0,
	                    COUNT(strangers));
	tcase_add_loop_test(tcase, start_with_a_root_that_is_no_directory_says_so_and_removes_no_script, 0,
	                    2);
	tcase_add_test(tcase, start_with_a_name_that_is_none_says_so);
	tcase_add_test(tcase, start_removes_dot_files);
	tcase_add_test(tcase, start_removes_lock_ins_of_another_boot_alone);
	return tcase;
}

static TCase *make_default_case(void)
{
	TCase *tcase = make_case("default runtime");

	tcase_add_test(tcase, default_runtime_is_kept_for_those_without_a_lock_in);
	tcase_add_test(tcase, default_runtime_is_written_only_where_it_changes);
	tcase_add_test(tcase, default_runtime_that_others_may_write_to_is_put_right);
	tcase_add_test(tcase, default_runtime_that_cannot_be_written_is_told_by_the_reload);
	tcase_add_test(tcase, dry_run_writes_no_default_runtime);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lock_in_start");

	suite_add_tcase(suite, make_lock_ins_case());
	suite_add_tcase(suite, make_default_case());
	return unit_run(suite);
}
