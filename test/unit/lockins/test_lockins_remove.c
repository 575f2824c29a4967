/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing the one that is meant; and all of them: scanning, counting, tidying up. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "lockins/lockins_support.h"

static atomic_int naps; /* so that waiting for long is not */
static int unlock_after, other_fd, nap_ms;

/* In place of the C library's, this and the next: time passes while one naps, and does not else. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	const int64_t now_ms = (int64_t)naps * nap_ms;

	(void)clock;
	*ret = (struct timespec){.tv_sec = now_ms / 1000, .tv_nsec = now_ms % 1000 * 1000000};
	return 0;
}

int nanosleep(const struct timespec *duration, struct timespec *rest)
{
	(void)duration;
	(void)rest;
	if (++naps == unlock_after)
		flock(other_fd, LOCK_UN);
	return 0;
}

static void setup(void)
{
	lockins_setup();
	naps = unlock_after = 0;
	nap_ms = 1;
	other_fd = -1;
}

static void teardown(void)
{
	if (other_fd >= 0)
		close(other_fd);
	lockins_teardown();
}

/* --- one --- */

START_TEST(lockins_remove_takes_the_one_that_is_there)
{
	must(create(&web, "t1"));
	must(lockins_remove(&lockins, &web, NULL, &error));
	ck_assert_str_eq(locked_at(&web), "");
	ck_assert_int_eq(lockins_remove(&lockins, &web, NULL, &error), -ESRCH);
	ck_assert_str_eq(error.message, "container web is not locked in");
}
END_TEST

START_TEST(lockins_remove_of_another_time_leaves_it)
{
	must(create(&web, "t1"));
	ck_assert_int_eq(lockins_remove(&lockins, &web, "t2", &error), -ESTALE);
	ck_assert_str_eq(locked_at(&web), "t1");
	must(lockins_remove(&lockins, &web, "t1", &error));
	ck_assert_str_eq(locked_at(&web), "");
}
END_TEST

START_TEST(lockins_remove_read_leaves_what_was_made_since)
{
	struct rtreg_lock_in old;
	int fd;

	must(create(&web, "t1"));
	must(lockins_read(&lockins, &web, &old, &fd, &error));
	must(lockins_remove(&lockins, &web, NULL, &error));
	ck_assert_int_eq(lockins_remove_read(&lockins, &web, fd, true, &error), -ESRCH);
	must(create(&web, "t2"));
	ck_assert_int_eq(lockins_remove_read(&lockins, &web, fd, true, &error), -ESTALE);
	ck_assert_int_eq(error.code, -ESTALE);
	ck_assert_str_eq(locked_at(&web), "t2");
	close(fd);
	rtreg_lock_in_fini(&old);
}
END_TEST

/* Holds the lock of the file, as somebody who is removing it would. */
static void lock_by_another(void)
{
	other_fd = open(temporary_path("lock-ins/_/web"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(other_fd, LOCK_EX), 0);
}

START_TEST(lockins_remove_waits_for_whoever_is_removing_it)
{
	must(create(&web, "t1"));
	lock_by_another();
	unlock_after = 3;
	must(lockins_remove(&lockins, &web, NULL, &error));
	ck_assert_int_eq(naps, 3);
}
END_TEST

START_TEST(lockins_remove_waits_not_for_ever)
{
	must(create(&web, "t1"));
	lock_by_another();
	ck_assert_int_eq(lockins_remove(&lockins, &web, NULL, &error), -EBUSY);
	ck_assert_ptr_nonnull(strstr(error.message, "does not finish"));
	ck_assert_str_eq(locked_at(&web), "t1");
}
END_TEST

/* Whose pauses are longer than he asked for has fewer of them. */
START_TEST(lockins_remove_waits_no_longer_on_a_busy_machine)
{
	must(create(&web, "t1"));
	lock_by_another();
	nap_ms = 1000;
	ck_assert_int_eq(lockins_remove(&lockins, &web, NULL, &error), -EBUSY);
	ck_assert_int_le(naps, 5);
}
END_TEST

START_TEST(lockins_remove_waits_not_for_who_is_done)
{
	int fd;

	must(create(&web, "t1"));
	must(lockins_read(&lockins, &web, &found, &fd, &error));
	lock_by_another();
	ck_assert_int_eq(unlink(temporary_path("lock-ins/_/web")), 0);
	ck_assert_int_eq(lockins_remove_read(&lockins, &web, fd, true, &error), -ESRCH);
	must(create(&web, "t2"));
	ck_assert_int_eq(lockins_remove_read(&lockins, &web, fd, true, &error), -ESTALE);
	ck_assert_int_eq(naps, 0);
	close(fd);
}
END_TEST

/* A lock that outlived its descriptor, in a child that has not yet come to its exec, would stop everybody else. */
START_TEST(lockins_remove_read_gives_the_lock_back_at_once)
{
	int fd;
	pid_t pid;

	must(create(&web, "t1"));
	ck_assert_int_eq(link(temporary_path("lock-ins/_/web"), temporary_path("same")), 0);
	must(lockins_read(&lockins, &web, &found, &fd, &error));
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	must(lockins_remove_read(&lockins, &web, fd, true, &error));
	close(fd);
	other_fd = open(temporary_path("same"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(other_fd, LOCK_EX | LOCK_NB), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

/* --- many at once --- */

#define REMOVERS 4
#define ROUNDS   200

static atomic_int removed, removed_of[ROUNDS];
static atomic_bool stop;

static void *remove_read(void *argument)
{
	(void)argument;
	while (!stop) {
		struct rtreg_lock_in lock_in = {0};
		int fd;

		if (lockins_read(&lockins, &web, &lock_in, &fd, NULL) < 0)
			continue;
		/* Time for others to remove it, and to make another. */
		for (int i = 0; i < 20; i++)
			sched_yield();
		if (lockins_remove_read(&lockins, &web, fd, false, NULL) == 0) {
			removed_of[strtol(lock_in.locked, NULL, 10)]++;
			removed++;
		}
		close(fd);
		rtreg_lock_in_fini(&lock_in);
	}
	return NULL;
}

/* Each that is made is removed once, by somebody who has read that very one. */
START_TEST(lockins_remove_read_by_many_removes_each_once)
{
	pthread_t threads[REMOVERS];

	removed = 0;
	stop = false;
	for (int i = 0; i < REMOVERS; i++)
		pthread_create(&threads[i], NULL, remove_read, NULL);
	for (int round = 0; round < ROUNDS; round++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", round);
		while (create_for_boot(&web, number) == -EEXIST)
			;
	}
	while (removed < ROUNDS)
		sched_yield();
	stop = true;
	for (int i = 0; i < REMOVERS; i++)
		pthread_join(threads[i], NULL);
	for (int round = 0; round < ROUNDS; round++)
		ck_assert_msg(removed_of[round] == 1, "%d was removed %d times", round, removed_of[round]);
}
END_TEST

/* --- all --- */

struct seen {
	char names[512], bad[1024];
	int result;
};

static int see(void *context, int directory, struct rtreg_lock_in *lock_in)
{
	struct seen *seen = context;

	ck_assert_int_eq(faccessat(directory, lock_in->id, F_OK, 0), 0);
	snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names), "%s%s ",
	         lock_in->root, lock_in->id);
	return seen->result;
}

static void see_bad(void *context, const struct rtreg_error *why)
{
	struct seen *seen = context;

	snprintf(seen->bad + strlen(seen->bad), sizeof(seen->bad) - strlen(seen->bad), "%d:%s ", why->code,
	         why->where);
}

static int scan(const char *root, struct seen *seen)
{
	struct lockins_visitor visitor = {.found = see, .bad = see_bad, .context = seen};
	struct lock_in_name name;

	if (root)
		ck_assert_int_eq(lock_in_name_of_root(&name, root, NULL), 0);
	return lockins_scan(&lockins, root ? &name : NULL, &visitor, &error);
}

static void make(const char *root, const char *id)
{
	struct lock_in_name name;

	ck_assert_int_eq(lock_in_name_init(&name, root, id, NULL), 0);
	must(create(&name, "t1"));
}

START_TEST(lockins_scan_finds_all_and_those_of_one_root)
{
	struct seen seen = {0};
	size_t count = 9;

	must(scan(NULL, &seen));
	must(lockins_count(&lockins, &count, &error));
	ck_assert_uint_eq(count, 0);
	make(NULL, "a");
	make("/x", "b");
	make("/y", "b");
	must(scan(NULL, &seen));
	ck_assert_uint_eq(strlen(seen.names), strlen("a /xb /yb "));
	memset(&seen, 0, sizeof(seen));
	must(scan("", &seen));
	ck_assert_str_eq(seen.names, "a ");
	memset(&seen, 0, sizeof(seen));
	must(scan("/x/", &seen));
	ck_assert_str_eq(seen.names, "/xb ");
	memset(&seen, 0, sizeof(seen));
	must(scan("/z", &seen));
	ck_assert_str_eq(seen.names, "");
	must(lockins_count(&lockins, &count, &error));
	ck_assert_uint_eq(count, 3);
}
END_TEST

START_TEST(lockins_scan_ends_where_it_is_told)
{
	struct seen seen = {.result = -ENOMEM};

	make(NULL, "a");
	make(NULL, "b");
	ck_assert_int_eq(scan(NULL, &seen), -ENOMEM);
	ck_assert_uint_eq(strlen(seen.names), 2);
}
END_TEST

START_TEST(lockins_scan_tells_of_what_does_not_belong_there)
{
	struct seen seen = {0};
	size_t count;

	make(NULL, "a");
	plant("half");
	write_file("lock-ins/_/b~", "", 0600);
	write_file("lock-ins/_/.tmp.1", "", 0600);
	write_file("lock-ins/stray", "", 0600);
	write_file("lock-ins/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "", 0600);
	ck_assert_int_eq(mkdir(temporary_path("lock-ins/scripts"), 0700), 0);
	must(scan(NULL, &seen));
	ck_assert_str_eq(seen.names, "a ");
	ck_assert_ptr_nonnull(strstr(seen.bad, "-74:web "));
	ck_assert_ptr_nonnull(strstr(seen.bad, "-22:b~ "));
	ck_assert_ptr_nonnull(strstr(seen.bad, "-22:stray "));
	ck_assert_ptr_nonnull(strstr(seen.bad, "-74:0123"));
	ck_assert_ptr_null(strstr(seen.bad, "tmp"));
	must(lockins_count(&lockins, &count, &error));
	ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(lockins_tidy_removes_dot_files_and_empty_directories)
{
	must(lockins_tidy(&lockins, &error));
	make(NULL, "a");
	make("/x", "b");
	write_file("lock-ins/_/.tmp.1", "", 0600);
	ck_assert_int_eq(lock_in_name_init(&web, "/x", "b", NULL), 0);
	must(lockins_remove(&lockins, &web, NULL, &error));
	must(lockins_tidy(&lockins, &error));
	ck_assert_int_lt(access(temporary_path("lock-ins/_/.tmp.1"), F_OK), 0);
	ck_assert_int_eq(access(temporary_path("lock-ins/_/a"), F_OK), 0);
	/* Two entries beside . and .. would be one too many. */
	ck_assert_int_eq(rename(temporary_path("lock-ins/_"), temporary_path("away")), 0);
	ck_assert_int_eq(rmdir(temporary_path("lock-ins")), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lockins_remove");
	TCase *tcase = tcase_create("lockins_remove");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lockins_remove_takes_the_one_that_is_there);
	tcase_add_test(tcase, lockins_remove_of_another_time_leaves_it);
	tcase_add_test(tcase, lockins_remove_read_leaves_what_was_made_since);
	tcase_add_test(tcase, lockins_remove_waits_for_whoever_is_removing_it);
	tcase_add_test(tcase, lockins_remove_waits_not_for_ever);
	tcase_add_test(tcase, lockins_remove_waits_no_longer_on_a_busy_machine);
	tcase_add_test(tcase, lockins_remove_waits_not_for_who_is_done);
	tcase_add_test(tcase, lockins_remove_read_gives_the_lock_back_at_once);
	tcase_add_test(tcase, lockins_remove_read_by_many_removes_each_once);
	tcase_add_test(tcase, lockins_scan_finds_all_and_those_of_one_root);
	tcase_add_test(tcase, lockins_scan_ends_where_it_is_told);
	tcase_add_test(tcase, lockins_scan_tells_of_what_does_not_belong_there);
	tcase_add_test(tcase, lockins_tidy_removes_dot_files_and_empty_directories);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
