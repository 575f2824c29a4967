/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing scripts where the system does not cooperate. The program's own fsync(), openat(), linkat(),
 * nanosleep() and clock_gettime() take the C library's place and do as a test asks them to.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "runtimes/scripts.h"
#include "unit.h"

static atomic_int file_syncs, directory_syncs, failing_syncs;
static bool fail_directory_sync, no_tmpfile, no_proc_links, no_links;
static atomic_bool threads_take_signals;
static int holder = -1; /* a second descriptor of the last file that was made for writing */
static bool hold;
static int sleeps_until_release;
static int seconds_ahead; /* of the clock */
static int opens;         /* of files, by name */
static ino_t synced[1024];
static int links_before_sync, links_since_directory_sync;

int fsync(int fd)
{
	sigset_t mask;
	struct stat st;

	fstat(fd, &st);
	if (S_ISDIR(st.st_mode)) {
		directory_syncs++;
		links_since_directory_sync = 0;
		errno = EIO;
		return fail_directory_sync ? -1 : (int)syscall(SYS_fsync, fd);
	}
	synced[file_syncs++ % (int)ARRAY_SIZE(synced)] = st.st_ino;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (syscall(SYS_gettid) != getpid() && !sigismember(&mask, SIGTERM))
		threads_take_signals = true;
	if (atomic_fetch_sub(&failing_syncs, 1) > 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int openat(int directory_fd, const char *path, int flags, ...)
{
	va_list args;
	int mode, fd;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if ((flags & O_TMPFILE) == O_TMPFILE && no_tmpfile) {
		errno = EOPNOTSUPP;
		return -1;
	}
	opens += strcmp(path, ".") != 0;
	fd = (int)syscall(SYS_openat, directory_fd, path, flags, mode);
	if (fd >= 0 && hold && (flags & O_WRONLY))
		holder = dup(fd);
	return fd;
}

static void note_link(int from, const char *old, int flags)
{
	struct stat st;
	bool durable = false;

	fstatat(from, old, &st, flags & AT_EMPTY_PATH);
	for (size_t i = 0; i < ARRAY_SIZE(synced); i++)
		durable |= synced[i] == st.st_ino;
	links_before_sync += !durable;
	links_since_directory_sync++;
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	note_link(from, old, flags);
	if (no_links || (no_proc_links && !(flags & AT_EMPTY_PATH))) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_linkat, from, old, to, new, flags);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += seconds_ahead;
	/* However long it takes to come to the last sleep, no time is over before it. */
	if (clock == CLOCK_MONOTONIC && sleeps_until_release > 0)
		*now = (struct timespec){0};
	return rc;
}

int nanosleep(const struct timespec *duration, struct timespec *rest)
{
	if (sleeps_until_release > 0 && --sleeps_until_release == 0)
		close(holder);
	return (int)syscall(SYS_nanosleep, duration, rest);
}

static void setup(void)
{
	scripts_setup_open();
	file_syncs = directory_syncs = failing_syncs = 0;
	links_before_sync = links_since_directory_sync = 0;
	memset(synced, 0, sizeof(synced));
	fail_directory_sync = no_tmpfile = no_proc_links = no_links = hold = false;
	threads_take_signals = false;
}

static void check_added(size_t count)
{
	struct script *scripts = make_scripts(count);

	add(scripts, count);
	for (size_t i = 0; i < count; i++)
		check_right(&scripts[i]);
	ck_assert_uint_eq(count_files(), count);
	free_scripts(scripts, count);
}

START_TEST(script_store_add_syncs_each_file_and_the_directory_once)
{
	check_added(257);
	ck_assert_int_eq(file_syncs, 257);
	ck_assert_int_eq(directory_syncs, 1);
}
END_TEST

START_TEST(script_store_add_syncs_a_file_before_it_is_linked_and_the_directory_behind_all)
{
	check_added(300);
	ck_assert_int_eq(links_before_sync, 0);
	ck_assert_int_eq(links_since_directory_sync, 0);
}
END_TEST

/* More than the queue of what is told about them holds, where that was not changed: each is told of twice. */
START_TEST(script_store_repair_thousands_of_untouched_scripts_opens_none)
{
	enum { SCRIPTS = 9000 };
	struct script *scripts = make_scripts(SCRIPTS);

	for (size_t i = 0; i < SCRIPTS; i++) {
		int fd = open(script_path(&scripts[i]), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

		ck_assert_int_eq(write(fd, scripts[i].content, scripts[i].length),
		                 (ssize_t)scripts[i].length);
		close(fd);
	}
	seconds_ahead = 1; /* of when they were written */
	add(scripts, SCRIPTS);
	opens = 0;
	repair();
	ck_assert_int_eq(opens, 0);
	free_scripts(scripts, SCRIPTS);
}
END_TEST

START_TEST(script_store_add_threads_take_no_signals)
{
	check_added(64);
	ck_assert(!threads_take_signals);
}
END_TEST

START_TEST(script_store_add_leaves_the_callers_signal_mask)
{
	sigset_t before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	check_added(4);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int number = 1; number < 32; number++)
		ck_assert_int_eq(sigismember(&before, number), sigismember(&after, number));
}
END_TEST

START_TEST(script_store_add_without_tmpfile_uses_dot_files)
{
	no_tmpfile = true;
	check_added(20);
}
END_TEST

START_TEST(script_store_add_without_proc_links_the_descriptor)
{
	if (geteuid() != 0)
		skip("older kernels let root alone do this");
	no_proc_links = true;
	check_added(3);
	ck_assert_int_eq(file_syncs, 3);
}
END_TEST

START_TEST(script_store_add_without_links_uses_dot_files)
{
	no_links = true;
	check_added(20);
}
END_TEST

START_TEST(script_store_add_stale_dot_file_is_no_obstacle)
{
	struct script script = make_script("kata");
	char name[64];

	snprintf(name, sizeof(name), "runtimes/.tmp.%ld.0", (long)getpid());
	write_file(name, "", 0600);
	no_tmpfile = true;
	add(&script, 1);
	check_right(&script);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_failed_sync_writes_the_file_anew)
{
	no_tmpfile = _i;
	failing_syncs = 1;
	check_added(5);
	ck_assert_int_eq(file_syncs, 6);
}
END_TEST

START_TEST(script_store_add_sync_that_fails_twice_is_an_error)
{
	struct script *scripts = make_scripts(5);

	no_tmpfile = _i;
	failing_syncs = 1000;
	ck_assert_int_eq(script_store_add(store, scripts, 5, NULL, &problems, &error), -EIO);
	ck_assert_ptr_nonnull(strstr(error.message, ": Input/output error; check the disk and reload"));
	ck_assert_uint_eq(count_files(), 0);
	free_scripts(scripts, 5);
}
END_TEST

START_TEST(script_store_add_failed_directory_sync_leaves_nothing)
{
	struct script *scripts = make_scripts(5);

	fail_directory_sync = true;
	ck_assert_int_eq(script_store_add(store, scripts, 5, NULL, &problems, &error), -EIO);
	ck_assert_uint_eq(count_files(), 0);
	fail_directory_sync = false;
	add(scripts, 5);
	check_right(&scripts[4]);
	free_scripts(scripts, 5);
}
END_TEST

START_TEST(script_store_add_failure_in_a_later_batch_removes_the_earlier_ones)
{
	enum { COUNT = 300 };
	struct script *scripts = make_scripts(COUNT);

	ck_assert_int_eq(mkdir(script_path(&scripts[COUNT - 1]), 0700), 0);
	ck_assert_int_eq(script_store_add(store, scripts, COUNT, NULL, &problems, &error), -EISDIR);
	ck_assert_uint_eq(count_files(), 1);
	free_scripts(scripts, COUNT);
}
END_TEST

/* What a child forked by another thread does: it keeps the descriptor for a while. */
START_TEST(script_store_add_waits_until_nobody_has_the_script_open)
{
	struct script script = make_script("kata");

	hold = true;
	sleeps_until_release = 3;
	add(&script, 1);
	ck_assert_int_eq(sleeps_until_release, 0);
	ck_assert_uint_eq(problems.warnings.count, 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_store_add_script_held_open_for_long_is_a_warning)
{
	struct script script = make_script("kata");

	hold = true;
	add(&script, 1);
	hold = false;
	check_right(&script);
	check_warnings(1, "another process has it open for writing");
	close(holder);
	script_fini(&script);
}
END_TEST

/* Changes the content alone, as somebody who hides it would; until the kernel's clock tells the change. */
static void damage_secretly(const struct script *script)
{
	char content[200] = "";
	struct timespec times[2];
	struct stat before, after;

	ck_assert_uint_lt(script->length, sizeof(content));
	ck_assert_int_eq(lstat(script_path(script), &before), 0);
	times[0] = before.st_atim;
	times[1] = before.st_mtim;
	do {
		write_bytes(script_path(script), content, script->length, 0700);
		ck_assert_int_eq(utimensat(AT_FDCWD, script_path(script), times, 0), 0);
		ck_assert_int_eq(lstat(script_path(script), &after), 0);
	} while (memcmp(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim)) == 0);
}

/* A second later, so that what the file looks like is believed. */
START_TEST(script_store_repair_content_changed_under_old_times_is_put_right)
{
	struct script script = make_script("kata");

	seconds_ahead = 1;
	add(&script, 1);
	damage_secretly(&script);
	repair();
	check_right(&script);
	check_warnings(1, "content changed");
	script_fini(&script);
}
END_TEST

/* 10,000 at first, then one more: known ones cost next to nothing. */
START_TEST(script_store_add_one_among_many_writes_one)
{
	enum { COUNT = 10000 };
	struct script *scripts = make_scripts(COUNT + 1);

	for (size_t i = 0; i < COUNT; i++)
		write_bytes(script_path(&scripts[i]), scripts[i].content, scripts[i].length, 0700);
	add(scripts, COUNT);
	ck_assert_int_eq(file_syncs, 0);
	add(scripts, COUNT + 1);
	ck_assert_int_eq(file_syncs, 1);
	repair();
	ck_assert_int_eq(file_syncs, 1);
	check_right(&scripts[COUNT]);
	free_scripts(scripts, COUNT + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script_write");
	TCase *tcase = tcase_create("write");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, scripts_teardown);
	tcase_add_test(tcase, script_store_add_syncs_each_file_and_the_directory_once);
	tcase_add_test(tcase, script_store_add_syncs_a_file_before_it_is_linked_and_the_directory_behind_all);
	tcase_add_test(tcase, script_store_repair_thousands_of_untouched_scripts_opens_none);
	tcase_add_test(tcase, script_store_add_threads_take_no_signals);
	tcase_add_test(tcase, script_store_add_leaves_the_callers_signal_mask);
	tcase_add_test(tcase, script_store_add_without_tmpfile_uses_dot_files);
	tcase_add_test(tcase, script_store_add_without_proc_links_the_descriptor);
	tcase_add_test(tcase, script_store_add_without_links_uses_dot_files);
	tcase_add_test(tcase, script_store_add_stale_dot_file_is_no_obstacle);
	tcase_add_loop_test(tcase, script_store_add_failed_sync_writes_the_file_anew, 0, 2);
	tcase_add_loop_test(tcase, script_store_add_sync_that_fails_twice_is_an_error, 0, 2);
	tcase_add_test(tcase, script_store_add_failed_directory_sync_leaves_nothing);
	tcase_add_test(tcase, script_store_add_failure_in_a_later_batch_removes_the_earlier_ones);
	tcase_add_test(tcase, script_store_add_waits_until_nobody_has_the_script_open);
	tcase_add_test(tcase, script_store_add_script_held_open_for_long_is_a_warning);
	tcase_add_test(tcase, script_store_repair_content_changed_under_old_times_is_put_right);
	tcase_add_test(tcase, script_store_add_one_among_many_writes_one);
	return unit_run(suite);
}
