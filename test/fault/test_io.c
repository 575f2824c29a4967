/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fails the N-th call of a kind, once or from then on, for every N until the operation makes no more of
 * them. Either the operation fails with the errno and a message that speaks of it, and all is as it was; or
 * it carries on where that is promised, and then everything is in place. Afterwards it works.
 */
#include "world.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define LIMIT 500

/* What may come of a fault. */
enum outcome {
	FAILS,
	CARRIES_ON,
	EITHER,
};

static const struct fault {
	enum fault_call call;
	int code;
	bool lasting;
	enum outcome open, reload;
} faults[] = {
        /* A smaller batch; a script that cannot be looked at is written anew; a sweep that cannot is a
           warning. */
        {FAULT_OPENAT, EMFILE, false, EITHER, EITHER},
        {FAULT_OPENAT, ENOSPC, false, EITHER, EITHER},
        {FAULT_OPENAT, EMFILE, true, EITHER, EITHER},
        {FAULT_OPENAT, EIO, true, EITHER, EITHER}, /* the last one is of STATE/default-runtime: a warning */
        {FAULT_OPENAT, ENOSPC, true, EITHER, EITHER},
        {FAULT_WRITE, ENOSPC, false, EITHER,
         EITHER}, /* the last one is of STATE/default-runtime: a warning */
        {FAULT_WRITE, EIO, true, EITHER, EITHER},
        {FAULT_FCHMOD, EIO, false, FAILS, FAILS},
        {FAULT_FSYNC, EIO, false, EITHER, EITHER}, /* a script is written anew, a directory is not */
        {FAULT_FSYNC, EIO, true, FAILS, FAILS},
        {FAULT_FSYNC, ENOSPC, true, FAILS, FAILS},
        {FAULT_LINKAT, EIO, false, CARRIES_ON, CARRIES_ON}, /* by a dot-file then */
        {FAULT_LINKAT, EIO, true, CARRIES_ON, CARRIES_ON},
        {FAULT_LINKAT, ENOSPC, false, FAILS, FAILS},
        {FAULT_PIPE2, EMFILE, false, CARRIES_ON, CARRIES_ON}, /* features unknown */
        {FAULT_PIPE2, EMFILE, true, CARRIES_ON, CARRIES_ON},
        {FAULT_POSIX_SPAWN, EAGAIN, false, CARRIES_ON, CARRIES_ON},
        {FAULT_POSIX_SPAWN, ENOMEM, true, CARRIES_ON, CARRIES_ON},
        {FAULT_PTHREAD_CREATE, EAGAIN, false, EITHER,
         CARRIES_ON}, /* fsyncs are slower; no reclaimer, no open */
        {FAULT_PTHREAD_CREATE, EAGAIN, true, EITHER, CARRIES_ON},
        {FAULT_OPEN, EMFILE, false, FAILS, CARRIES_ON},
        {FAULT_OPEN, EIO, true, FAILS, CARRIES_ON},
        {FAULT_PWRITE, ENOSPC, false, FAILS, CARRIES_ON},
        {FAULT_FTRUNCATE, EIO, false, FAILS, CARRIES_ON},
        {FAULT_RENAMEAT, EIO, true, EITHER, CARRIES_ON}, /* likewise */
        {FAULT_RENAMEAT, ENOSPC, false, EITHER, CARRIES_ON},
        {FAULT_MKDIR, ENOSPC, false, FAILS, CARRIES_ON},
        {FAULT_MKDIR, EIO, true, FAILS, CARRIES_ON},
        {FAULT_FLOCK, EIO, false, FAILS, CARRIES_ON},
};
#define FAULT_COUNT ((int)(sizeof(faults) / sizeof(faults[0])))

static struct world world;

static void teardown(void)
{
	world_fini(&world);
}

static void check_outcome(const struct fault *fault, enum outcome wanted, unsigned long n, int r)
{
	const char *message = world.error.message;

	if (r == 0) {
		ck_assert_msg(wanted != FAILS, "%s: call %lu failed, and nobody noticed",
		              fault_name(fault->call), n);
		return;
	}
	ck_assert_msg(wanted != CARRIES_ON, "%s: call %lu: %s", fault_name(fault->call), n, message);
	ck_assert_msg(r == -fault->code, "%s: call %lu: %d, %s", fault_name(fault->call), n, r, message);
	ck_assert_msg(!strstr(message, "memory") && strlen(message) > 20, "%s: call %lu: \"%s\"",
	              fault_name(fault->call), n, message);
	ck_assert_msg(strstr(message, strerror(fault->code)), "%s: call %lu: \"%s\"", fault_name(fault->call),
	              n, message);
}

START_TEST(reload_with_a_failing_call_fails_or_carries_on)
{
	const struct fault *fault = &faults[_i];
	bool failed = true;

	world_init(&world);
	world_prepare(&world, 1000000);
	ck_assert_int_eq(world_open(&world), 0);
	for (unsigned long n = 1; failed; n++) {
		struct picture before;
		int r;

		ck_assert_uint_lt(n, LIMIT);
		world_prepare(&world, n);
		picture_take(&before, &world);
		fault_call(fault->call, n, fault->code, fault->lasting);
		r = world_reload(&world);
		failed = fault_end();
		if (failed)
			check_outcome(fault, fault->reload, n, r);
		else
			ck_assert_int_eq(r, 0);
		if (r < 0)
			picture_assert_same(&before, &world);
		world_assert_sound(&world);
		world_assert_works(&world);
		rtreg_error_fini(&world.error);
		picture_fini(&before);
	}
}
END_TEST

START_TEST(open_with_a_failing_call_fails_or_carries_on)
{
	const struct fault *fault = &faults[_i];
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		world_init(&world);
		world_prepare(&world, n);
		fault_call(fault->call, n, fault->code, fault->lasting);
		r = world_open(&world);
		failed = fault_end();
		if (failed)
			check_outcome(fault, fault->open, n, r);
		else
			ck_assert_msg(r == 0, "%s", world.error.message);
		world_assert_sound(&world);
		world_assert_works(&world);
		if (failed)
			world_fini(&world);
	}
}
END_TEST

/* What a reload could not take back is not taken for good by the next one either. */
START_TEST(repair_that_fails_is_made_up_for)
{
	struct rtreg_runtime runtime = {0};
	const struct rtreg_snapshot *snapshot;

	world_init(&world);
	world_prepare(&world, 1);
	ck_assert_int_eq(world_open(&world), 0);
	snapshot = rtreg_pin(world.registry);
	ck_assert_int_eq(rtreg_resolve(snapshot, "a", &runtime, NULL), 0);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(unlink(runtime.wrapper), 0);
		if (round == 1) /* damaged, not missing: replaced by rename */
			ck_assert_int_eq(symlink("/dev/null", runtime.wrapper), 0);
		fault_call(FAULT_WRITE, 1, ENOSPC, true);
		ck_assert_int_eq(world_reload(&world), -ENOSPC);
		ck_assert(fault_end());
		world_assert_works(&world);
	}
	rtreg_unpin(snapshot);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io");
	TCase *tcase = tcase_create("io");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, reload_with_a_failing_call_fails_or_carries_on, 0, FAULT_COUNT);
	tcase_add_loop_test(tcase, open_with_a_failing_call_fails_or_carries_on, 0, FAULT_COUNT);
	tcase_add_test(tcase, repair_that_fails_is_made_up_for);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
