/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What outlasts the process, under faults: trials (docs/confirm.md) and changes of the registry's own drop-in
 * (docs/dropins.md). Every allocation and every call to the system fails once. Either the operation fails and
 * all is exactly as before, in memory and on disk; or it is done. Then it works.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "sandbox.h"

#define LIMIT 5000
#define OWN   "50-rtregctl.json"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;

static void close_all(void)
{
	rtreg_close(registry);
	registry = NULL;
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

/* --- operations: none uses what the faults catch, but in the library --- */

static int reload(unsigned flags)
{
	return rtreg_reload(registry, NULL, flags, NULL, &error);
}

static int change(enum rtreg_change_kind kind, const char *name, const char *entry)
{
	struct rtreg_change change = {
	        .kind = kind, .name = name, .entry = entry, .entry_size = entry ? strlen(entry) : 0};

	return rtreg_change(registry, &change, 0, NULL, &error);
}

static int try_files(void)
{
	return reload(RTREG_RELOAD_TRIAL);
}

static int reload_files(void)
{
	return reload(0);
}

static int confirm(void)
{
	return rtreg_confirm(registry, &error);
}

static int revert(void)
{
	return rtreg_revert(registry, NULL, &error);
}

static int put_runtime(void)
{
	return change(RTREG_PUT_RUNTIME, "new", "{\"path\":\"/opt/new\",\"runtimeArgs\":[\"--x\"]}");
}

static int remove_runtime(void)
{
	return change(RTREG_REMOVE_RUNTIME, "old", NULL);
}

static int remove_unknown(void)
{
	return change(RTREG_REMOVE_RUNTIME, "nosuch", NULL);
}

static int set_default(void)
{
	return change(RTREG_SET_DEFAULT, "old", NULL);
}

static int open_again(void)
{
	return rtreg_open(&sandbox.options, &registry, &error);
}

/* --- what comes before --- */

static void must(int r)
{
	ck_assert_msg(r == 0, "%s", error.message);
}

static void write_own(const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s.d", sandbox.config);
	ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s.d/" OWN, sandbox.config);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void opened(void)
{
	must(open_again());
	sandbox_write(&sandbox, "{\"labels\":[\"a=2\"]}");
}

static void opened_with_own(void)
{
	write_own("{ \"runtimes\":{\"old\":{\"path\":\"/opt/old\"}}}");
	opened();
}

static void on_trial(void)
{
	opened_with_own();
	must(try_files());
}

static void on_trial_with_other_files(void)
{
	on_trial();
	sandbox_write(&sandbox, "{\"labels\":[\"a=3\"]}");
}

static void on_trial_with_the_same_in_other_files(void)
{
	on_trial();
	sandbox_write(&sandbox, "{ \"labels\": [\"a=2\"]}");
}

static void reverted(void)
{
	on_trial();
	must(revert());
}

static void closed_on_trial(void)
{
	on_trial();
	rtreg_close(registry);
	registry = NULL;
}

static void closed_after_a_revert(void)
{
	reverted();
	rtreg_close(registry);
	registry = NULL;
}

static const struct operation {
	const char *name;
	void (*before)(void);
	int (*run)(void);
	int result;
} operations[] = {
        {"a trial", opened, try_files, 0},
        {"a trial of what was reverted", reverted, try_files, 0},
        {"a reload on trial", on_trial_with_other_files, reload_files, 0},
        {"an unchanged reload on trial", on_trial_with_the_same_in_other_files, reload_files, 0},
        {"a confirmation", on_trial, confirm, 0},
        {"a revert", on_trial, revert, 0},
        {"a first runtime", opened, put_runtime, 0},
        {"one more runtime", opened_with_own, put_runtime, 0},
        {"one more runtime on trial", on_trial, put_runtime, 0},
        {"the removal of the last runtime", opened_with_own, remove_runtime, 0},
        {"the removal of no runtime", opened_with_own, remove_unknown, -ESRCH},
        {"a default", opened_with_own, set_default, 0},
        {"a start on trial", closed_on_trial, open_again, 0},
        {"a start after a revert", closed_after_a_revert, open_again, 0},
};
#define OPERATION_COUNT ((int)(sizeof(operations) / sizeof(operations[0])))

static void begin(const struct operation *operation)
{
	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{\"labels\":[\"a=1\"]}");
	operation->before();
}

/* --- pictures --- */

struct picture {
	uint64_t generation, confirmed;
	char *config, own[1024], record[4096];
	bool directory;
};

/* What is missing is "-". */
static void read_text(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");

	strcpy(ret, "-");
	if (!file)
		return;
	ret[fread(ret, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void picture_take(struct picture *picture)
{
	const struct rtreg_snapshot *snapshot;
	char path[256];

	*picture = (struct picture){0};
	snprintf(path, sizeof(path), "%s.d", sandbox.config);
	picture->directory = access(path, F_OK) == 0;
	snprintf(path, sizeof(path), "%s.d/" OWN, sandbox.config);
	read_text(path, picture->own, sizeof(picture->own));
	snprintf(path, sizeof(path), "%s/confirmed.json", sandbox.state);
	read_text(path, picture->record, sizeof(picture->record));
	if (!registry)
		return;
	snapshot = rtreg_pin(registry);
	picture->generation = rtreg_snapshot_generation(snapshot);
	picture->config = rtreg_snapshot_json(snapshot);
	rtreg_unpin(snapshot);
	rtreg_on_trial(registry, &picture->confirmed);
}

static void assert_same(const struct picture *before, const char *what, unsigned long n)
{
	struct picture after;

	picture_take(&after);
	ck_assert_msg(strcmp(after.own, before->own) == 0, "%s, %lu: own is %s", what, n, after.own);
	ck_assert_msg(strcmp(after.record, before->record) == 0, "%s, %lu: record is %s", what, n,
	              after.record);
	ck_assert_msg(after.directory == before->directory, "%s, %lu: directory", what, n);
	ck_assert_uint_eq(after.generation, before->generation);
	ck_assert_uint_eq(after.confirmed, before->confirmed);
	ck_assert_pstr_eq(after.config, before->config);
	free(after.config);
}

static void assert_no_leftovers(const char *what, unsigned long n)
{
	static const char *const names[] = {"." OWN ".new", "." OWN ".old", ".confirmed.json.new",
	                                    ".confirmed.json.old"};
	char path[256];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s/%s", i < 2 ? sandbox.config : sandbox.state,
		         i < 2 ? ".d" : "", names[i]);
		ck_assert_msg(access(path, F_OK) < 0, "%s, %lu: left over: %s", what, n, path);
	}
}

/* --- faults --- */

static unsigned long nth;

/* Runs the operation with one fault; whether there was one. */
static bool once(const struct operation *operation, void (*arm)(const void *argument), const void *argument,
                 int code)
{
	struct picture before;
	bool failed;
	int r;

	ck_assert_uint_lt(nth, LIMIT);
	picture_take(&before);
	arm(argument);
	r = operation->run();
	failed = fault_end();
	ck_assert_msg(failed || r == operation->result, "%s: %d, %s", operation->name, r, error.message);
	ck_assert_msg(r == operation->result || r == code, "%s, %lu: %d instead of %d, %s", operation->name,
	              nth, r, code, error.message);
	if (r < 0) {
		ck_assert_int_eq(error.code, r);
		ck_assert_str_ne(error.message, "");
		assert_same(&before, operation->name, nth);
	}
	free(before.config);
	rtreg_error_fini(&error);
	/* What is done cannot be done again from the same beginning. */
	if (failed && r == 0) {
		close_all();
		begin(operation);
	}
	return failed;
}

static void arm_memory(const void *argument)
{
	(void)argument;
	fault_memory(nth);
}

START_TEST(operation_without_memory_is_done_or_changes_nothing)
{
	const struct operation *operation = &operations[_i];
	bool failed = true;

	begin(operation);
	for (nth = 1; failed; nth++) {
		failed = once(operation, arm_memory, NULL, -ENOMEM);
		assert_no_leftovers(operation->name, nth);
	}
	close_all();
}
END_TEST

/* Renames do not fail for good: that is how things are put back. */
static const struct call {
	enum fault_call call;
	int code;
	bool lasting;
} calls[] = {
        {FAULT_OPEN, EIO, false},     {FAULT_OPENAT, EIO, false},  {FAULT_OPENAT, EIO, true},
        {FAULT_WRITE, ENOSPC, false}, {FAULT_WRITE, ENOSPC, true}, {FAULT_FCHMOD, EIO, false},
        {FAULT_FSYNC, EIO, false},    {FAULT_FSYNC, EIO, true},    {FAULT_RENAMEAT, EIO, false},
        {FAULT_LINKAT, EIO, false},   {FAULT_LINKAT, EIO, true},   {FAULT_MKDIR, ENOSPC, false},
        {FAULT_UNLINKAT, EIO, false},
};
#define CALL_COUNT ((int)(sizeof(calls) / sizeof(calls[0])))

static void arm_call(const void *argument)
{
	const struct call *call = argument;

	fault_call(call->call, nth, call->code, call->lasting);
}

START_TEST(operation_with_a_failing_call_is_done_or_changes_nothing)
{
	const struct operation *operation = &operations[_i / CALL_COUNT];
	const struct call *call = &calls[_i % CALL_COUNT];
	bool failed = true;

	begin(operation);
	for (nth = 1; failed; nth++) {
		failed = once(operation, arm_call, call, -call->code);
		/* What cannot be removed stays until the next time. */
		if (call->call != FAULT_UNLINKAT)
			assert_no_leftovers(operation->name, nth);
	}
	assert_no_leftovers(operation->name, nth);
	close_all();
}
END_TEST

/* --- files that others replace --- */

/* Who replaces a file by removing it first leaves it missing for a moment: the second file that is opened. */
START_TEST(reload_of_a_drop_in_that_is_missing_for_a_moment_reads_it)
{
	const struct rtreg_snapshot *snapshot;

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{}");
	must(open_again());
	write_own("{\"debug\":true}");
	fault_call(FAULT_OPEN, 2, ENOENT, false);
	must(reload_files());
	ck_assert(fault_end());
	snapshot = rtreg_pin(registry);
	ck_assert(rtreg_snapshot_debug(snapshot));
	rtreg_unpin(snapshot);
	close_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lasting");
	TCase *tcase = tcase_create("lasting");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 200);
	tcase_add_loop_test(tcase, operation_without_memory_is_done_or_changes_nothing, 0, OPERATION_COUNT);
	tcase_add_loop_test(tcase, operation_with_a_failing_call_is_done_or_changes_nothing, 0,
	                    OPERATION_COUNT * CALL_COUNT);
	tcase_add_test(tcase, reload_of_a_drop_in_that_is_missing_for_a_moment_reads_it);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
