/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lock-ins (docs/lockins.md) under faults: every allocation and every call to the system fails once, or from then
 * on, or the process dies there. A lock-in is there whole, with its script, or not at all; one that a call has
 * returned is there; what fails leaves the others alone.
 */
#include "flavor.h"

#include <check.h>
#include <dirent.h>
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

#define LIMIT 20000
#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;

static void close_registry(void)
{
	rtreg_close(registry);
	registry = NULL;
}

static void close_all(void)
{
	close_registry();
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

/* --- operations: none uses what the faults catch, but in the library --- */

static int open_again(void)
{
	return rtreg_open(&sandbox.options, &registry, &error);
}

static int lock(const char *id, const char *runtime)
{
	return rtreg_lock_in(registry, NULL, id, runtime, NULL, &error);
}

static int lock_web(void)
{
	struct rtreg_lock_in lock_in = {0};
	int r = rtreg_lock_in(registry, NULL, "web", "args", &lock_in, &error);

	rtreg_lock_in_fini(&lock_in);
	return r;
}

static int lock_web_to_another(void)
{
	return lock("web", "more");
}

static int lock_web_for_boot(void)
{
	return rtreg_lock_in_for_boot(registry, NULL, "web", "args", BOOT, NULL, &error);
}

static int unlock_web(void)
{
	return rtreg_unlock(registry, NULL, "web", &error);
}

static int read_web(void)
{
	struct rtreg_lock_in lock_in = {0};
	int r = rtreg_locked(registry, NULL, "web", &lock_in, &error);

	rtreg_lock_in_fini(&lock_in);
	return r;
}

static int read_all(void)
{
	struct rtreg_lock_in *all = NULL;
	size_t count = 0;
	int r = rtreg_lock_ins(registry, NULL, &all, &count, &error);

	if (r == 0)
		rtreg_lock_ins_free(all, count);
	return r;
}

/* --- what comes before --- */

static void must(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, error.message);
}

static void opened(void)
{
	must(open_again());
}

static void with_another(void)
{
	opened();
	must(lock("db", "args"));
}

static void with_web(void)
{
	with_another();
	must(lock_web());
}

static void with_void_web(void)
{
	with_another();
	must(rtreg_lock_in_for_boot(registry, NULL, "web", "args", "11234567-89ab-cdef-0123-456789abcdef",
	                            NULL, &error));
}

static void remove_script(void)
{
	struct rtreg_lock_in lock_in = {0};

	must(rtreg_locked(registry, NULL, "web", &lock_in, &error));
	ck_assert_int_eq(unlink(lock_in.wrapper), 0);
	rtreg_lock_in_fini(&lock_in);
}

/* To be opened again, with a script to be put right that no configuration has. */
static void closed_with_a_missing_script(void)
{
	with_web();
	remove_script();
	close_registry();
	sandbox_write(&sandbox, "{}");
}

static const struct operation {
	const char *name;
	void (*before)(void);
	int (*run)(void);
	int result;
	bool removes; /* what fails at last may have removed it all the same */
} operations[] = {
        {"the first lock-in", opened, lock_web, 0, false},
        {"one more lock-in", with_another, lock_web, 0, false},
        {"one for a boot", with_another, lock_web_for_boot, 0, false},
        {"one for a boot in place of a void one", with_void_web, lock_web_for_boot, 0, true},
        {"one that is there", with_web, lock_web, 0, false},
        {"one of another runtime", with_web, lock_web_to_another, -EEXIST, false},
        {"an unlock", with_web, unlock_web, 0, true},
        {"an unlock of none", with_another, unlock_web, -ESRCH, false},
        {"reading one", with_web, read_web, 0, false},
        {"reading all", with_web, read_all, 0, false},
        {"a start", closed_with_a_missing_script, open_again, 0, false},
};
#define OPERATION_COUNT ((int)(sizeof(operations) / sizeof(operations[0])))

static void begin(const struct operation *operation)
{
	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{\"runtimes\":{\"args\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"--x\"]},"
	                        "\"more\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"--y\"]}}}");
	operation->before();
}

/* --- pictures --- */

static void read_text(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");

	strcpy(ret, "-");
	if (!file)
		return;
	ret[fread(ret, 1, size - 1, file)] = '\0';
	fclose(file);
}

struct picture {
	char web[1024], db[1024];
};

static void picture_take(struct picture *picture)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/lock-ins/_/web", sandbox.state);
	read_text(path, picture->web, sizeof(picture->web));
	snprintf(path, sizeof(path), "%s/lock-ins/_/db", sandbox.state);
	read_text(path, picture->db, sizeof(picture->db));
}

static void assert_whole(const char *path, const char *what, unsigned long n)
{
	char text[256];

	read_text(path, text, sizeof(text));
	ck_assert_msg(strcmp(text, "#!/bin/sh\nexec '/bin/true' '--x' \"$@\"\n") == 0, "%s, %lu: %s is %s",
	              what, n, path, text);
}

/* The lock-in in `text` has all it needs. */
static void assert_scripts(const char *text, const char *what, unsigned long n)
{
	static const char key[] = "\"wrapper\":\"";
	char wrapper[512], kept[512];
	const char *at = strstr(text, key);

	if (strcmp(text, "-") == 0)
		return;
	ck_assert_msg(at && text[strlen(text) - 1] == '\n', "%s, %lu: %s", what, n, text);
	at += sizeof(key) - 1;
	snprintf(wrapper, sizeof(wrapper), "%.*s", (int)strcspn(at, "\""), at);
	snprintf(kept, sizeof(kept), "%s/lock-ins/scripts/%s", sandbox.state, strrchr(wrapper, '.') + 1);
	assert_whole(wrapper, what, n);
	assert_whole(kept, what, n);
}

static void assert_no_dot_files(const char *name, const char *what, unsigned long n)
{
	struct dirent *entry;
	char path[256];
	DIR *directory;

	snprintf(path, sizeof(path), "%s/%s", sandbox.state, name);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)))
		ck_assert_msg(strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		                      entry->d_name[0] != '.',
		              "%s, %lu: left over: %s", what, n, entry->d_name);
	if (directory)
		closedir(directory);
}

static void assert_sound(const struct picture *before, const char *what, unsigned long n)
{
	struct picture now;

	picture_take(&now);
	ck_assert_msg(strcmp(now.db, before->db) == 0, "%s, %lu: db is %s", what, n, now.db);
	if (!registry)
		return;
	assert_scripts(now.web, what, n);
	assert_scripts(now.db, what, n);
}

/* --- faults --- */

static unsigned long nth;
static int raw_code; /* the errno of the fault */

static void assert_result(const struct operation *operation, const struct picture *before, int r, int code)
{
	struct picture after;

	ck_assert_msg(r == operation->result || r == code, "%s, %lu: %d instead of %d, %s", operation->name,
	              nth, r, code, error.message);
	if (r == 0)
		return;
	ck_assert_int_eq(error.code, r);
	ck_assert_msg(strlen(error.message) > 12, "%s, %lu: \"%s\"", operation->name, nth, error.message);
	picture_take(&after);
	ck_assert_msg(strcmp(after.web, before->web) == 0 ||
	                      (operation->removes && strcmp(after.web, "-") == 0),
	              "%s, %lu: web is %s", operation->name, nth, after.web);
}

/* A start passes some errors of the state directory on as they are. */
static int open_code(const struct operation *operation, int r, int code)
{
	return operation->run == open_again && r == -raw_code ? r : code;
}

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
	assert_result(operation, &before, r, open_code(operation, r, code));
	/* What could not be looked at was told, and waits for the next start. */
	if (failed && operation->run == open_again && r == 0) {
		close_registry();
		must(open_again());
	}
	assert_sound(&before, operation->name, nth);
	rtreg_error_fini(&error);
	/* What is done cannot be done again from the same beginning. */
	if (failed && (r == 0 || operation->removes || operation->run == open_again)) {
		close_all();
		begin(operation);
	}
	return failed;
}

static void arm_memory(const void *argument)
{
	(void)argument;
	raw_code = ENOMEM;
	fault_memory(nth);
}

START_TEST(operation_without_memory_is_done_or_changes_nothing)
{
	const struct operation *operation = &operations[_i];
	bool failed = true;

	begin(operation);
	for (nth = 1; failed; nth++) {
		failed = once(operation, arm_memory, NULL, -ENOMEM);
		assert_no_dot_files("lock-ins/_", operation->name, nth);
		assert_no_dot_files("lock-ins/scripts", operation->name, nth);
	}
	close_all();
}
END_TEST

/* What is wrong with the state directory must not pass for a missing binary, or a bad name. */
static const struct call {
	enum fault_call call;
	int code, result;
	bool lasting;
} calls[] = {
        {FAULT_OPENAT, EMFILE, -EMFILE, false}, {FAULT_OPENAT, EACCES, -EIO, false},
        {FAULT_OPENAT, EROFS, -EROFS, true},    {FAULT_WRITE, ENOSPC, -ENOSPC, false},
        {FAULT_WRITE, ENOSPC, -ENOSPC, true},   {FAULT_FSYNC, EIO, -EIO, false},
        {FAULT_FSYNC, ENOSPC, -ENOSPC, true},   {FAULT_RENAMEAT, EIO, -EIO, false},
        {FAULT_LINKAT, EIO, -EIO, false},       {FAULT_LINKAT, EPERM, -EPERM, true},
        {FAULT_LINKAT, ENOSPC, -ENOSPC, false}, {FAULT_MKDIRAT, ENOSPC, -ENOSPC, false},
        {FAULT_MKDIRAT, EROFS, -EROFS, true},   {FAULT_UNLINKAT, EACCES, -EIO, false},
        {FAULT_UNLINKAT, EROFS, -EROFS, true},  {FAULT_FLOCK, ENOLCK, -ENOLCK, false},
};
#define CALL_COUNT ((int)(sizeof(calls) / sizeof(calls[0])))

static void arm_call(const void *argument)
{
	const struct call *call = argument;

	raw_code = call->code;
	fault_call(call->call, nth, call->code, call->lasting);
}

START_TEST(operation_with_a_failing_call_is_done_or_changes_nothing)
{
	const struct operation *operation = &operations[_i / CALL_COUNT];
	const struct call *call = &calls[_i % CALL_COUNT];
	bool failed = true;

	begin(operation);
	for (nth = 1; failed; nth++) {
		failed = once(operation, arm_call, call, call->result);
		/* What cannot be removed stays until the next start. */
		if (call->call != FAULT_UNLINKAT)
			assert_no_dot_files("lock-ins/_", operation->name, nth);
	}
	close_all();
}
END_TEST

/* --- crashes --- */

/* Whether the child came to the end of its operation before it died. */
static bool survives(const struct operation *operation, unsigned long n)
{
	int status = 0, r;
	pid_t pid;

	ck_assert_uint_lt(n, LIMIT);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		operation->before();
		fault_crash(n);
		r = operation->run();
		fault_end();
		_exit(r == operation->result ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	else
		ck_assert_msg(WEXITSTATUS(status) == 0, "%s: exit code %d", operation->name,
		              WEXITSTATUS(status));
	return WIFEXITED(status);
}

static void nothing(void)
{
}

/* A start after the crash, with a configuration that does not have the runtime any more. */
static void assert_start(const struct operation *operation, unsigned long n)
{
	struct picture before = {0};

	sandbox_write(&sandbox, "{}");
	picture_take(&before);
	ck_assert_msg(open_again() == 0, "%s, %lu: %s", operation->name, n, error.message);
	assert_sound(&before, operation->name, n);
	assert_no_dot_files("lock-ins/_", operation->name, n);
	assert_no_dot_files("lock-ins/scripts", operation->name, n);
	close_registry();
}

static bool web_is_there(void)
{
	struct picture now;

	picture_take(&now);
	return strcmp(now.web, "-") != 0;
}

START_TEST(operation_that_is_killed_leaves_lock_ins_whole)
{
	const struct operation *operation = &operations[_i];
	struct operation without = *operation;
	bool survived = false, there;

	without.before = nothing;
	for (unsigned long n = 1; !survived; n++) {
		begin(&without);
		survived = survives(operation, n);
		there = web_is_there();
		if (survived && operation->run == lock_web)
			ck_assert(there);
		if (survived && operation->run == unlock_web)
			ck_assert(!there);
		assert_start(operation, n);
		/* Those for a boot are for another than this one. */
		if (operation->run != lock_web_for_boot)
			ck_assert_int_eq(web_is_there(), there);
		sandbox_fini(&sandbox);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock_ins");
	TCase *tcase = tcase_create("lock_ins");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, operation_without_memory_is_done_or_changes_nothing, 0, OPERATION_COUNT);
	tcase_add_loop_test(tcase, operation_with_a_failing_call_is_done_or_changes_nothing, 0,
	                    OPERATION_COUNT * CALL_COUNT);
	tcase_add_loop_test(tcase, operation_that_is_killed_leaves_lock_ins_whole, 0, OPERATION_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
