/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transaction: which callbacks run, in which order, and what becomes of their errors. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/problems.h"
#include "steps/txn.h"
#include "unit.h"

static char trace[64];

/* A callback's context is its letter; lower case succeeds, upper case fails. */
static int note(void *context, struct rtreg_error *error)
{
	const char *letter = context;

	strcat(trace, letter);
	if (letter[0] >= 'a')
		return 0;
	return error_set(error, -EIO, NULL, "callback %s failed", letter);
}

static int prepare_ok(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)error;
	rtreg_txn_on_commit(txn, note, context);
	rtreg_txn_on_rollback(txn, note, context);
	return 0;
}

static int prepare_fails(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)txn;
	return error_set(error, -EADDRINUSE, NULL, "%s", (const char *)context);
}

static int prepare_fails_silently(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)txn;
	(void)context;
	(void)error;
	return -ENOSPC;
}

static struct rtreg_txn txn;
static struct rtreg_error error;

static void setup(void)
{
	trace[0] = '\0';
	txn_begin(&txn, NULL, NULL);
}

static void teardown(void)
{
	rtreg_error_fini(&error);
}

static int prepare(rtreg_step_fn fn, const char *context)
{
	struct rtreg_step step = {.name = "test-step", .prepare = fn, .context = (void *)context};

	return txn_prepare(&txn, &step, &error);
}

START_TEST(commit_runs_commit_callbacks_in_order)
{
	ck_assert_int_eq(prepare(prepare_ok, "a"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "b"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "c"), 0);
	txn_commit(&txn, &error);
	ck_assert_str_eq(trace, "abc");
	ck_assert_int_eq(error.code, 0);
}
END_TEST

/*
 * The well-known source of this design put rollback callbacks into the commit list, so that they never ran.
 */
START_TEST(prepare_failing_step_runs_rollback_callbacks_in_reverse)
{
	ck_assert_int_eq(prepare(prepare_ok, "a"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "b"), 0);
	ck_assert_int_eq(prepare(prepare_fails, "port in use"), -EADDRINUSE);
	ck_assert_str_eq(trace, "ba");
	ck_assert_str_eq(error.message, "port in use");
	ck_assert_str_eq(error.where, "test-step");
	ck_assert_ptr_null(error.more);
}
END_TEST

START_TEST(prepare_failing_rollback_adds_its_error_behind)
{
	ck_assert_int_eq(prepare(prepare_ok, "A"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "b"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "C"), 0);
	ck_assert_int_eq(prepare(prepare_fails, "port in use"), -EADDRINUSE);
	ck_assert_str_eq(trace, "CbA");
	ck_assert_str_eq(error.message, "port in use");
	ck_assert_ptr_nonnull(error.more);
	ck_assert_uint_eq(error.more->count, 2);
	ck_assert_str_eq(error.more->errors[0].message, "while rolling back: callback C failed");
	ck_assert_str_eq(error.more->errors[1].message, "while rolling back: callback A failed");
}
END_TEST

START_TEST(commit_failing_callback_does_not_stop_the_others)
{
	ck_assert_int_eq(prepare(prepare_ok, "A"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "b"), 0);
	ck_assert_int_eq(prepare(prepare_ok, "C"), 0);
	txn_commit(&txn, &error);
	ck_assert_str_eq(trace, "AbC");
	ck_assert_str_eq(error.message, "after the reload: callback A failed");
	ck_assert_uint_eq(error.more->count, 1);
}
END_TEST

START_TEST(prepare_silent_failure_names_step_and_errno)
{
	ck_assert_int_eq(prepare(prepare_fails_silently, ""), -ENOSPC);
	ck_assert_str_eq(error.message, "step test-step failed: No space left on device");
	ck_assert_int_eq(error.code, -ENOSPC);
}
END_TEST

START_TEST(commit_does_not_run_rollback_callbacks)
{
	rtreg_txn_on_rollback(&txn, note, "x");
	rtreg_txn_on_commit(&txn, note, "y");
	txn_commit(&txn, NULL);
	ck_assert_str_eq(trace, "y");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("txn");
	TCase *tcase = tcase_create("txn");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, commit_runs_commit_callbacks_in_order);
	tcase_add_test(tcase, prepare_failing_step_runs_rollback_callbacks_in_reverse);
	tcase_add_test(tcase, prepare_failing_rollback_adds_its_error_behind);
	tcase_add_test(tcase, commit_failing_callback_does_not_stop_the_others);
	tcase_add_test(tcase, prepare_silent_failure_names_step_and_errno);
	tcase_add_test(tcase, commit_does_not_run_rollback_callbacks);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
