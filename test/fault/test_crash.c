/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process dies within an operation that is to last: for every N, at its N-th call to the system. A child does
 * it; what it left on disk is looked at here, and by a start. docs/confirm.md has the table.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "sandbox.h"

#define LIMIT 500
#define OWN   "50-rtregctl.json"

static struct sandbox sandbox;
static struct rtreg *registry;

/* How far the child came. */
enum mark {
	MARK_PUBLISHED = 'p',
	MARK_DONE = 'd',
};
static int marks = -1;

static void put_mark(enum mark mark)
{
	char c = (char)mark;

	/* The library's calls are caught, not this one. */
	if (dprintf(marks, "%c", c) != 1)
		_exit(3);
}

static int note_publication(void *context, struct rtreg_error *error)
{
	(void)error;
	if (*(bool *)context)
		put_mark(MARK_PUBLISHED);
	return 0;
}

static bool armed;

static int note_step(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)error;
	rtreg_txn_on_commit(txn, note_publication, context);
	return 0;
}

/* --- operations, in the child --- */

static int reload(unsigned flags)
{
	return rtreg_reload(registry, NULL, flags, NULL, NULL);
}

static int opened(void)
{
	int r = rtreg_open(&sandbox.options, &registry, NULL);

	sandbox_write(&sandbox, "{\"labels\":[\"a=2\"]}");
	return r;
}

static int on_trial(void)
{
	int r = opened();

	return r < 0 ? r : reload(RTREG_RELOAD_TRIAL);
}

static int reverted(void)
{
	int r = on_trial();

	return r < 0 ? r : rtreg_revert(registry, NULL, NULL);
}

static int closed_on_trial(void)
{
	int r = on_trial();

	rtreg_close(registry);
	return r;
}

static int with_own(void)
{
	struct rtreg_change put = {
	        .kind = RTREG_PUT_RUNTIME, .name = "old", .entry = "{\"path\":\"/old\"}", .entry_size = 15};
	int r = rtreg_open(&sandbox.options, &registry, NULL);

	return r < 0 ? r : rtreg_change(registry, &put, 0, NULL, NULL);
}

static int only_open(void)
{
	return rtreg_open(&sandbox.options, &registry, NULL);
}

static int run_trial(void)
{
	return reload(RTREG_RELOAD_TRIAL);
}

static int run_reload(void)
{
	return reload(0);
}

static int run_confirm(void)
{
	return rtreg_confirm(registry, NULL);
}

static int run_revert(void)
{
	return rtreg_revert(registry, NULL, NULL);
}

static int run_put(void)
{
	struct rtreg_change put = {
	        .kind = RTREG_PUT_RUNTIME, .name = "new", .entry = "{\"path\":\"/new\"}", .entry_size = 15};

	return rtreg_change(registry, &put, 0, NULL, NULL);
}

static int run_remove(void)
{
	struct rtreg_change change = {.kind = RTREG_REMOVE_RUNTIME, .name = "old"};

	return rtreg_change(registry, &change, 0, NULL, NULL);
}

/* --- the child --- */

static void child(int (*before)(void), int (*run)(void), unsigned long n)
{
	int r = before();

	if (r == 0) {
		armed = true;
		fault_crash(n);
		r = run();
		fault_end();
	}
	if (r < 0)
		_exit(2);
	put_mark(MARK_DONE);
	_exit(0);
}

/* Lets a child run with a crash at call `n`; what it told is in `told`. Whether it did not come to that call. */
static bool survives(int (*before)(void), int (*run)(void), unsigned long n, char told[16])
{
	int ends[2], status = 0;
	ssize_t length;
	pid_t pid;

	ck_assert_uint_lt(n, LIMIT);
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		marks = ends[1];
		child(before, run, n);
	}
	close(ends[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	length = read(ends[0], told, 15);
	close(ends[0]);
	ck_assert_int_ge(length, 0);
	told[length] = '\0';
	if (WIFSIGNALED(status))
		ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	else
		ck_assert_msg(WEXITSTATUS(status) == 0, "call %lu: exit code %d", n, WEXITSTATUS(status));
	return WIFEXITED(status);
}

/* --- what is left --- */

static bool has_record(void)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/confirmed.json", sandbox.state);
	return access(path, F_OK) == 0;
}

static bool own_has(const char *text)
{
	char path[256], content[1024] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s.d/" OWN, sandbox.config);
	file = fopen(path, "re");
	if (!file)
		return false;
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	return strstr(content, text) != NULL;
}

/* A start finds this label and, if `runtime` is not NULL, that runtime or not. */
static void assert_start(unsigned long n, const char *label, const char *runtime, bool there)
{
	const struct rtreg_snapshot *snapshot;
	struct rtreg_error error = {0};
	struct rtreg_runtime found;

	armed = false;
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "call %lu: %s", n, error.message);
	snapshot = rtreg_pin(registry);
	ck_assert_msg(strcmp(rtreg_snapshot_label(snapshot, 0), label) == 0, "call %lu: %s", n,
	              rtreg_snapshot_label(snapshot, 0));
	if (runtime)
		ck_assert_msg((rtreg_resolve(snapshot, runtime, &found, NULL) == 0) == there, "call %lu: %s",
		              n, runtime);
	rtreg_unpin(snapshot);
	rtreg_close(registry);
	registry = NULL;
}

static bool told_all(const char *told, enum mark mark)
{
	return strchr(told, mark) != NULL;
}

static void begin(void)
{
	static struct rtreg_step step = {.name = "notes", .prepare = note_step, .context = &armed};

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{\"labels\":[\"a=1\"]}");
	sandbox.options.steps = &step;
	sandbox.options.step_count = 1;
}

/* --- trials --- */

START_TEST(crash_in_a_trial_leaves_the_confirmed_one_once_it_is_recorded)
{
	bool survived = false, recorded;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(opened, run_trial, n, told);
		recorded = has_record();
		if (told_all(told, MARK_PUBLISHED))
			ck_assert_msg(recorded, "call %lu: live, and not recorded", n);
		assert_start(n, recorded ? "a=1" : "a=2", NULL, false);
		if (recorded)
			assert_start(n, "a=1", NULL, false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

START_TEST(crash_in_a_trial_of_what_was_reverted_leaves_the_confirmed_one)
{
	bool survived = false;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(reverted, run_trial, n, told);
		assert_start(n, "a=1", NULL, false);
		assert_start(n, "a=1", NULL, false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

static int on_trial_with_other_files(void)
{
	int r = on_trial();

	sandbox_write(&sandbox, "{\"labels\":[\"a=3\"]}");
	return r;
}

START_TEST(crash_in_a_reload_on_trial_leaves_the_confirmed_one)
{
	bool survived = false;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(on_trial_with_other_files, run_reload, n, told);
		assert_start(n, "a=1", NULL, false);
		/* What was live, or not far from it, is not to come back unseen. */
		if (told_all(told, MARK_PUBLISHED))
			assert_start(n, "a=1", NULL, false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

START_TEST(crash_in_a_confirmation_leaves_one_or_the_other)
{
	bool survived = false, recorded;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(on_trial, run_confirm, n, told);
		recorded = has_record();
		ck_assert(!told_all(told, MARK_DONE) || !recorded);
		assert_start(n, recorded ? "a=1" : "a=2", NULL, false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

START_TEST(crash_in_a_revert_leaves_the_confirmed_one)
{
	bool survived = false;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(on_trial, run_revert, n, told);
		assert_start(n, "a=1", NULL, false);
		assert_start(n, "a=1", NULL, false);
		sandbox_write(&sandbox, "{\"labels\":[\"a=4\"]}");
		assert_start(n, "a=4", NULL, false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

START_TEST(crash_in_a_start_on_trial_leaves_the_confirmed_one)
{
	bool survived = false;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(closed_on_trial, only_open, n, told);
		assert_start(n, "a=1", NULL, false);
		assert_start(n, "a=1", NULL, false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

/* --- changes --- */

START_TEST(crash_in_a_change_leaves_the_drop_in_before_or_after)
{
	bool survived = false, written;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(_i == 0 ? only_open : with_own, run_put, n, told);
		written = own_has("\"/new\"");
		ck_assert_int_eq(own_has("\"/old\""), _i != 0);
		ck_assert_msg(written || told[0] == '\0', "call %lu: live, and not written", n);
		assert_start(n, "a=1", "new", written);
		sandbox_fini(&sandbox);
	}
}
END_TEST

START_TEST(crash_in_a_removal_leaves_the_drop_in_before_or_after)
{
	bool survived = false, there;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(with_own, run_remove, n, told);
		there = own_has("\"/old\"");
		ck_assert_msg(!there || told[0] == '\0', "call %lu: gone, and still written", n);
		assert_start(n, "a=1", "old", there);
		sandbox_fini(&sandbox);
	}
}
END_TEST

START_TEST(crash_in_a_change_on_trial_leaves_the_confirmed_one)
{
	bool survived = false;
	char told[16];

	for (unsigned long n = 1; !survived; n++) {
		begin();
		survived = survives(on_trial, run_put, n, told);
		assert_start(n, "a=1", "new", false);
		if (told[0])
			assert_start(n, "a=1", "new", false);
		sandbox_fini(&sandbox);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crash");
	TCase *tcase = tcase_create("crash");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 200);
	tcase_add_test(tcase, crash_in_a_trial_leaves_the_confirmed_one_once_it_is_recorded);
	tcase_add_test(tcase, crash_in_a_trial_of_what_was_reverted_leaves_the_confirmed_one);
	tcase_add_test(tcase, crash_in_a_reload_on_trial_leaves_the_confirmed_one);
	tcase_add_test(tcase, crash_in_a_confirmation_leaves_one_or_the_other);
	tcase_add_test(tcase, crash_in_a_revert_leaves_the_confirmed_one);
	tcase_add_test(tcase, crash_in_a_start_on_trial_leaves_the_confirmed_one);
	tcase_add_loop_test(tcase, crash_in_a_change_leaves_the_drop_in_before_or_after, 0, 2);
	tcase_add_test(tcase, crash_in_a_removal_leaves_the_drop_in_before_or_after);
	tcase_add_test(tcase, crash_in_a_change_on_trial_leaves_the_confirmed_one);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
