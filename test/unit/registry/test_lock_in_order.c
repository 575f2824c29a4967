/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of what a lock-in does to the disk, which is what a power cut leaves of it; and what others see meanwhile.
 * The program's own fsync(), linkat() and renameat() take the C library's place.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;

/* --- what the system does --- */

/* One letter a call: f file synced, d directory synced, r renamed, l linked. */
static char calls[64];
static atomic_bool noting;
static atomic_int false_eexist; /* so many links find something that is gone when it is looked for */

/* A directory's sync after a link stops, says so, and fails when it may go on. */
static atomic_bool stopping, linked;
static sem_t stopped, go_on;

static void note(char call)
{
	size_t length = strlen(calls);

	if (noting && length + 1 < sizeof(calls))
		calls[length] = call;
}

int fsync(int fd)
{
	struct stat st;

	fstat(fd, &st);
	note(S_ISDIR(st.st_mode) ? 'd' : 'f');
	if (S_ISDIR(st.st_mode) && linked && atomic_exchange(&stopping, false)) {
		sem_post(&stopped);
		while (sem_wait(&go_on) < 0)
			;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (atomic_fetch_sub(&false_eexist, 1) > 0) {
		errno = EEXIST;
		return -1;
	}
	note('l');
	linked = true;
	return (int)syscall(SYS_linkat, from, old, to, new, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	note('r');
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

static void setup(void)
{
	sandbox_init(&sandbox);
	sandbox_write(&sandbox,
	              "{\"runtimes\":{\"args\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"--x\"]}}}");
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
	memset(calls, 0, sizeof(calls));
	sem_init(&stopped, 0, 0);
	sem_init(&go_on, 0, 0);
	linked = false;
	noting = true;
}

static void teardown(void)
{
	noting = false;
	rtreg_close(registry);
	registry = NULL;
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static void must(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, error.message);
}

/* --- the order --- */

/*
 * The directories, the script's content and its name; the root's directory; the lock-in's content and its name: each is
 * synced before the next is begun. So whatever a power cut leaves, a lock-in that is there has its script.
 */
START_TEST(lock_in_makes_the_script_durable_before_it_is_linked)
{
	must(rtreg_lock_in(registry, NULL, "web", "args", NULL, &error));
	ck_assert_str_eq(calls, "ddfrddfld");
	memset(calls, 0, sizeof(calls));
	must(rtreg_lock_in(registry, NULL, "db", "args", NULL, &error));
	ck_assert_str_eq(calls, "fld");
	memset(calls, 0, sizeof(calls));
	must(rtreg_lock_in(registry, NULL, "db", "args", NULL, &error));
	ck_assert_str_eq(calls, "");
	must(rtreg_unlock(registry, NULL, "db", &error));
	ck_assert_str_eq(calls, "d");
}
END_TEST

START_TEST(lock_in_for_a_boot_and_its_unlock_sync_nothing)
{
	static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef";

	must(rtreg_lock_in(registry, NULL, "web", "args", NULL, &error));
	memset(calls, 0, sizeof(calls));
	must(rtreg_lock_in_for_boot(registry, NULL, "db", "args", boot, NULL, &error));
	must(rtreg_unlock(registry, NULL, "db", &error));
	ck_assert_str_eq(calls, "l");
}
END_TEST

START_TEST(lock_in_where_another_was_there_and_is_gone_tries_again)
{
	struct rtreg_lock_in lock_in = {0};

	false_eexist = 3;
	must(rtreg_lock_in(registry, NULL, "web", NULL, &lock_in, &error));
	ck_assert(lock_in.created);
	ck_assert_int_lt(false_eexist, 0);
	rtreg_lock_in_fini(&lock_in);
}
END_TEST

/* --- others --- */

struct caller {
	pthread_t thread;
	atomic_int id; /* of the thread */
	struct rtreg_lock_in lock_in;
	int result;
	atomic_bool done;
};

static void *lock_in(void *argument)
{
	struct caller *caller = argument;

	caller->id = gettid();
	caller->result = rtreg_lock_in(registry, NULL, "web", NULL, &caller->lock_in, NULL);
	caller->done = true;
	return NULL;
}

static bool is_asleep(int id)
{
	char path[64], text[256] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", id);
	file = fopen(path, "re");
	if (!file)
		return false;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	end = strrchr(text, ')');
	return end && end[1] == ' ' && end[2] == 'S';
}

/* Until it is done, or waits for something. */
static void wait_for(const struct caller *caller)
{
	int tries = 0;

	while (!caller->done && !(caller->id && is_asleep(caller->id))) {
		ck_assert_int_lt(tries++, 6000);
		usleep(10000);
	}
}

/* The second one sees what the first has linked, and must not return it: the first takes it back. */
START_TEST(lock_in_never_returns_what_is_not_durable_yet)
{
	struct caller first = {0}, second = {0};

	stopping = true;
	ck_assert_int_eq(pthread_create(&first.thread, NULL, lock_in, &first), 0);
	while (sem_wait(&stopped) < 0)
		;
	ck_assert_int_eq(pthread_create(&second.thread, NULL, lock_in, &second), 0);
	wait_for(&second);
	sem_post(&go_on);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	ck_assert_int_eq(first.result, -EIO);
	ck_assert_int_eq(second.result, 0);
	ck_assert(second.lock_in.created);
	must(rtreg_locked(registry, NULL, "web", &first.lock_in, &error));
	ck_assert_str_eq(first.lock_in.json, second.lock_in.json);
	rtreg_lock_in_fini(&first.lock_in);
	rtreg_lock_in_fini(&second.lock_in);
}
END_TEST

START_TEST(lock_in_does_not_wait_for_another_container)
{
	struct caller first = {0};

	stopping = true;
	ck_assert_int_eq(pthread_create(&first.thread, NULL, lock_in, &first), 0);
	while (sem_wait(&stopped) < 0)
		;
	must(rtreg_lock_in(registry, NULL, "db", NULL, NULL, &error));
	must(rtreg_lock_in(registry, "/x", "web", NULL, NULL, &error));
	must(rtreg_unlock(registry, NULL, "db", &error));
	ck_assert(!first.done);
	sem_post(&go_on);
	pthread_join(first.thread, NULL);
	ck_assert_int_eq(first.result, -EIO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock_in_order");
	TCase *tcase = tcase_create("lock_in_order");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lock_in_makes_the_script_durable_before_it_is_linked);
	tcase_add_test(tcase, lock_in_for_a_boot_and_its_unlock_sync_nothing);
	tcase_add_test(tcase, lock_in_where_another_was_there_and_is_gone_tries_again);
	tcase_add_test(tcase, lock_in_never_returns_what_is_not_durable_yet);
	tcase_add_test(tcase, lock_in_does_not_wait_for_another_container);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
