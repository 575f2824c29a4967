/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "runtimes/probe.h"
#include "runtimes/temporary.h"
#include "unit.h"

/* Longer than any test may take; so a test that waits for it fails by check's own limit. */
#define LONG_MS  600000
#define SHORT_MS 300

static struct probe_cache *cache;
static struct problems problems;

static void setup(void)
{
	temporary_setup();
	cache = probe_cache_new(NULL);
	ck_assert_ptr_nonnull(cache);
	memset(&problems, 0, sizeof(problems));
}

static void teardown(void)
{
	probe_cache_free(cache);
	problems_fini(&problems);
	temporary_teardown();
}

static const char *runtime(const char *name, const char *commands)
{
	char content[1024];

	snprintf(content, sizeof(content), "#!/bin/sh\necho x >>\"$0.runs\"\n%s\n", commands);
	return write_file(name, content, 0755);
}

static void run_within(const char *path, int limit_ms)
{
	ck_assert_int_eq(probe_run(cache, &path, 1, limit_ms, &problems, NULL), 0);
}

static void run(const char *path)
{
	run_within(path, LONG_MS);
}

/* How often the runtime was started. */
static int starts(const char *path)
{
	char name[512];
	struct stat st;

	snprintf(name, sizeof(name), "%s.runs", path);
	return stat(name, &st) == 0 ? (int)st.st_size / 2 : 0;
}

static void check_document(const char *path, const char *expected)
{
	char *document = NULL;

	(void)!probe_get(cache, path, &document);
	if (expected)
		ck_assert_str_eq(document, expected);
	else
		ck_assert_ptr_null(document);
	free(document);
}

static bool has_document(const char *path)
{
	char *document = NULL;

	(void)!probe_get(cache, path, &document);
	free(document);
	return document != NULL;
}

/* One warning, `runtime PATH: no OCI features: REASON`. */
static void check_warning(const char *path, const char *reason)
{
	char expected[600];

	snprintf(expected, sizeof(expected), "runtime %s: no OCI features: %s", path, reason);
	ck_assert_uint_eq(problems.warnings.count, 1);
	ck_assert_str_eq(problems.warnings.items[0].message, expected);
	check_document(path, NULL);
}

/* --- answers --- */

START_TEST(probe_run_document_is_stored_compact)
{
	const char *path =
	        runtime("foo", "printf '%s\\n' ' { \"a b\" : [ 1 , \"x\\\" \\\\\" ] ,' ' \"c\": 1.50 }'");

	run(path);
	ck_assert_uint_eq(problems.warnings.count, 0);
	check_document(path, "{\"a b\":[1,\"x\\\" \\\\\"],\"c\":1.50}");
}
END_TEST

static const struct {
	const char *commands, *reason;
} failures[] = {
        {"exit 1", "exit status 1"},
        {"echo '{}'; exit 3", "exit status 3"},
        {"kill -SEGV $$", "killed by signal 11"},
        {"", "no output"},
        {"echo '[]'", "the output is not a JSON object"},
        {"printf '\"\\377\"'", "the output is not UTF-8"},
};

START_TEST(probe_run_failure_is_a_warning)
{
	const char *path = runtime("foo", failures[_i].commands);

	run(path);
	check_warning(path, failures[_i].reason);
}
END_TEST

static const char *const no_json[] = {"echo '{} {}'", "echo no", "printf '{}\\0'", "echo '{'",
                                      "echo '{\"a\":NaN}'"};

START_TEST(probe_run_invalid_json_is_a_warning)
{
	const char *path = runtime("foo", no_json[_i]);

	run(path);
	ck_assert_uint_eq(problems.warnings.count, 1);
	ck_assert_ptr_nonnull(strstr(problems.warnings.items[0].message, "no OCI features: invalid JSON: "));
	check_document(path, NULL);
}
END_TEST

/* `size` bytes: {"a":"xxx…"} */
static const char *big_runtime(int size)
{
	char commands[256];

	snprintf(commands, sizeof(commands),
	         "printf '{\"a\":\"'; head -c %d /dev/zero | tr '\\0' x; printf '\"}'", size - 8);
	return runtime("foo", commands);
}

START_TEST(probe_run_document_of_one_mebibyte_is_taken)
{
	const char *path = big_runtime(1024 * 1024);
	char *document;

	run(path);
	ck_assert_int_eq(probe_get(cache, path, &document), 0);
	ck_assert_ptr_nonnull(document);
	ck_assert_uint_eq(strlen(document), 1024 * 1024);
	free(document);
}
END_TEST

START_TEST(probe_run_larger_document_is_a_warning)
{
	const char *path = big_runtime(1024 * 1024 + 1);

	run(path);
	check_warning(path, "more than 1 MiB of output");
}
END_TEST

START_TEST(probe_run_endless_output_is_stopped)
{
	const char *path = runtime("foo", "while :; do echo 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; done");

	run(path);
	check_warning(path, "more than 1 MiB of output");
}
END_TEST

START_TEST(probe_run_unknown_format_is_a_warning)
{
	const char *path = write_file("foo", "\x01\x02", 0755);

	run(path);
	check_warning(path, "cannot execute it: Exec format error");
}
END_TEST

START_TEST(probe_run_bare_name_is_found_in_path)
{
	char path[512];

	runtime("foo-runtime", "echo '{}'");
	snprintf(path, sizeof(path), "%s:%s", temporary, getenv("PATH"));
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	run("foo-runtime");
	check_document("foo-runtime", "{}");
}
END_TEST

/* --- time --- */

/* How much longer a runtime may need until it has done more than being started. */
static int more_than(int limit_ms)
{
	ck_assert_int_lt(limit_ms, LONG_MS / 2);
	problems_fini(&problems);
	return 2 * limit_ms;
}

/* The number that a runtime has left in `name`; 0 if it did not come to that. */
static pid_t number_in(const char *name)
{
	FILE *file = fopen(temporary_path(name), "r");
	int pid = 0;
	char end;

	if (!file)
		return 0;
	if (fscanf(file, "%d%c", &pid, &end) != 2)
		pid = 0;
	fclose(file);
	return pid;
}

START_TEST(probe_run_hanging_runtime_is_killed_at_the_limit)
{
	const char *path = runtime("foo", "echo $$ >\"$0.pid\"; exec sleep 1000");
	int limit_ms = SHORT_MS;
	char reason[64];

	for (run_within(path, limit_ms); number_in("foo.pid") == 0; run_within(path, limit_ms))
		limit_ms = more_than(limit_ms);
	snprintf(reason, sizeof(reason), "no answer within %d ms", limit_ms);
	check_warning(path, reason);
	ck_assert_int_eq(kill(number_in("foo.pid"), 0), -1);
}
END_TEST

START_TEST(probe_run_hanging_runtime_is_asked_again)
{
	const char *path = runtime("foo", "test -e \"$0.go\" || exec sleep 1000; echo '{}'");

	run_within(path, SHORT_MS);
	write_file("foo.go", "", 0644);
	run(path);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_hanging_runtime_keeps_no_other_from_answering)
{
	const char *const paths[] = {runtime("hangs", "exec sleep 1000"), runtime("foo", "echo '{}'")};
	int limit_ms = SHORT_MS;

	ck_assert_int_eq(probe_run(cache, paths, 2, limit_ms, &problems, NULL), 0);
	while (!has_document(paths[1])) {
		limit_ms = more_than(limit_ms);
		ck_assert_int_eq(probe_run(cache, paths, 2, limit_ms, &problems, NULL), 0);
	}
	check_document(paths[1], "{}");
	check_document(paths[0], NULL);
}
END_TEST

START_TEST(probe_run_without_time_starts_nothing)
{
	const char *path = runtime("foo", "echo '{}'");

	run_within(path, 0);
	check_warning(path, "no answer within 0 s");
	ck_assert_int_eq(starts(path), 0);
}
END_TEST

START_TEST(probe_run_background_child_holding_stdout_is_not_waited_for)
{
	const char *path = runtime("foo", "sleep 1000 & echo '{}'");

	run(path);
	check_document(path, "{}");
}
END_TEST

/* It holds a lock until it ends, which must be soon, not after 1,000 s. */
START_TEST(probe_run_background_child_is_ended)
{
	const char *path = runtime("foo", "flock \"$0.lock\" sleep 1000 >/dev/null &\n"
	                                  "while flock -n \"$0.lock\" true; do :; done; echo '{}'");
	int fd;

	run(path);
	check_document(path, "{}");
	fd = open(temporary_path("foo.lock"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	close(fd);
}
END_TEST

START_TEST(probe_run_runtime_that_closes_stdout_must_still_end)
{
	const char *path = runtime("foo", "echo '{}'; exec sleep 1000 >&-");

	run_within(path, SHORT_MS);
	check_warning(path, "no answer within 300 ms");
}
END_TEST

START_TEST(probe_run_many_runtimes_all_answer)
{
	enum { COUNT = 100 };
	static char paths[COUNT][512];
	const char *list[COUNT];
	char name[32], commands[64], expected[32];

	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "foo%d", i);
		snprintf(commands, sizeof(commands), "echo '{\"i\":%d}'", i);
		strcpy(paths[i], runtime(name, commands));
		list[i] = paths[i];
	}
	ck_assert_int_eq(probe_run(cache, list, COUNT, LONG_MS, &problems, NULL), 0);
	for (int i = 0; i < COUNT; i++) {
		snprintf(expected, sizeof(expected), "{\"i\":%d}", i);
		check_document(list[i], expected);
	}
}
END_TEST

/* --- the child's surroundings --- */

START_TEST(probe_run_child_has_its_own_group_and_null_input)
{
	const char *path = runtime(
	        "foo",
	        "set -- $(cut -d' ' -f5 /proc/$$/stat) $(readlink /proc/$$/fd/0) $(readlink /proc/$$/fd/2)\n"
	        "test \"$1\" = $$ && echo \"{\\\"in\\\":\\\"$2\\\",\\\"err\\\":\\\"$3\\\"}\"");

	run(path);
	check_document(path, "{\"in\":\"/dev/null\",\"err\":\"/dev/null\"}");
}
END_TEST

/* Signals from 32 on are the C library's own. */
START_TEST(probe_run_child_has_default_signals)
{
	const char *path = runtime("foo", "while read name mask; do\n"
	                                  "case $name in SigBlk:|SigIgn:)\n"
	                                  "test $((0x$mask & 0x7fffffff)) = 0 || exit 1\n"
	                                  "esac\n"
	                                  "done </proc/$$/status; echo '{}'");
	sigset_t all;

	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	run(path);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_child_inherits_no_other_descriptor)
{
	const char *path = runtime("foo", "test -e /proc/$$/fd/77 || echo '{}'");

	ck_assert_int_eq(dup2(1, 77), 77);
	run(path);
	close(77);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_without_standard_descriptors_works)
{
	const char *path = runtime("foo", "cat; echo '{}'; echo no >&2");
	int saved[3];

	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		close(fd);
	}
	run(path);
	for (int fd = 0; fd < 3; fd++)
		dup2(saved[fd], fd);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_ignored_sigchld_still_gives_the_document)
{
	const char *path = runtime("foo", "echo '{}'");

	signal(SIGCHLD, SIG_IGN);
	run(path);
	signal(SIGCHLD, SIG_DFL);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_reaps_its_own_children_alone)
{
	pid_t other = fork();

	ck_assert_int_ge(other, 0);
	if (other == 0)
		_exit(7);
	run(runtime("foo", "echo '{}'"));
	ck_assert_int_eq(waitpid(-1, NULL, 0), other);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* --- the cache --- */

START_TEST(probe_run_unchanged_binary_is_not_asked_again)
{
	const char *path = runtime("foo", "echo '{}'");

	run(path);
	run(path);
	ck_assert_int_eq(starts(path), 1);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_unchanged_failure_is_not_asked_again)
{
	const char *path = runtime("foo", "exit 1");

	run(path);
	problems_fini(&problems);
	run(path);
	ck_assert_int_eq(starts(path), 1);
	ck_assert_uint_eq(problems.warnings.count, 0);
}
END_TEST

START_TEST(probe_run_changed_binary_is_asked_again)
{
	const char *path = runtime("foo", "echo '{\"v\":1}'");

	run(path);
	runtime("foo.new", "echo '{\"v\":2}'");
	ck_assert_int_eq(rename(temporary_path("foo.new"), path), 0);
	run(path);
	check_document(path, "{\"v\":2}");
}
END_TEST

START_TEST(probe_run_same_path_twice_is_asked_once)
{
	const char *path = runtime("foo", "echo '{}'");
	const char *const paths[] = {path, path, path};

	ck_assert_int_eq(probe_run(cache, paths, 3, LONG_MS, &problems, NULL), 0);
	ck_assert_int_eq(starts(path), 1);
}
END_TEST

START_TEST(probe_run_forgets_paths_that_are_no_longer_named)
{
	const char *path = runtime("foo", "echo '{}'");
	char *document;

	run(path);
	for (int i = 0; i < PROBE_IDLE_RUNS; i++)
		ck_assert_int_eq(probe_run(cache, NULL, 0, LONG_MS, &problems, NULL), 0);
	check_document(path, "{}");
	ck_assert_int_eq(probe_run(cache, NULL, 0, LONG_MS, &problems, NULL), 0);
	ck_assert_int_eq(probe_get(cache, path, &document), -ENOENT);
}
END_TEST

/* A reload that fails must not cost one that is under way, or the next, what they know. */
START_TEST(probe_run_for_another_path_forgets_nothing_at_once)
{
	const char *path = runtime("foo", "echo '{\"a\":1}'"), *other = runtime("bar", "echo '{\"b\":2}'");

	run(path);
	run(other);
	check_document(path, "{\"a\":1}");
	run(path);
	ck_assert_int_eq(starts(path), 1);
	check_document(other, "{\"b\":2}");
}
END_TEST

START_TEST(probe_run_missing_binary_is_a_warning_once)
{
	const char *path = temporary_path("none");
	char reason[512];

	run(path);
	snprintf(reason, sizeof(reason),
	         "error while looking up the specified runtime path: exec: \"%s\": stat %s: no such file or "
	         "directory",
	         path, path);
	check_warning(path, reason);
	problems_fini(&problems);
	run(path);
	ck_assert_uint_eq(problems.warnings.count, 0);
}
END_TEST

START_TEST(probe_run_binary_that_appears_is_asked)
{
	const char *path = temporary_path("foo");

	run(path);
	runtime("foo", "echo '{}'");
	run(path);
	check_document(path, "{}");
}
END_TEST

START_TEST(probe_run_binary_that_goes_away_is_a_warning)
{
	const char *path = runtime("foo", "echo '{}'");

	run(path);
	unlink(path);
	run(path);
	ck_assert_uint_eq(problems.warnings.count, 1);
	check_document(path, NULL);
}
END_TEST

START_TEST(probe_get_unknown_path_is_null)
{
	check_document("/nonexistent", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("probe");
	TCase *tcase = tcase_create("probe");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, probe_run_document_is_stored_compact);
	tcase_add_loop_test(tcase, probe_run_failure_is_a_warning, 0, (int)ARRAY_SIZE(failures));
	tcase_add_loop_test(tcase, probe_run_invalid_json_is_a_warning, 0, (int)ARRAY_SIZE(no_json));
	tcase_add_test(tcase, probe_run_document_of_one_mebibyte_is_taken);
	tcase_add_test(tcase, probe_run_larger_document_is_a_warning);
	tcase_add_test(tcase, probe_run_endless_output_is_stopped);
	tcase_add_test(tcase, probe_run_unknown_format_is_a_warning);
	tcase_add_test(tcase, probe_run_bare_name_is_found_in_path);
	tcase_add_test(tcase, probe_run_hanging_runtime_is_killed_at_the_limit);
	tcase_add_test(tcase, probe_run_hanging_runtime_is_asked_again);
	tcase_add_test(tcase, probe_run_hanging_runtime_keeps_no_other_from_answering);
	tcase_add_test(tcase, probe_run_without_time_starts_nothing);
	tcase_add_test(tcase, probe_run_background_child_holding_stdout_is_not_waited_for);
	tcase_add_test(tcase, probe_run_background_child_is_ended);
	tcase_add_test(tcase, probe_run_runtime_that_closes_stdout_must_still_end);
	tcase_add_test(tcase, probe_run_many_runtimes_all_answer);
	tcase_add_test(tcase, probe_run_child_has_its_own_group_and_null_input);
	tcase_add_test(tcase, probe_run_child_has_default_signals);
	tcase_add_test(tcase, probe_run_child_inherits_no_other_descriptor);
	tcase_add_test(tcase, probe_run_without_standard_descriptors_works);
	tcase_add_test(tcase, probe_run_ignored_sigchld_still_gives_the_document);
	tcase_add_test(tcase, probe_run_reaps_its_own_children_alone);
	tcase_add_test(tcase, probe_run_unchanged_binary_is_not_asked_again);
	tcase_add_test(tcase, probe_run_unchanged_failure_is_not_asked_again);
	tcase_add_test(tcase, probe_run_changed_binary_is_asked_again);
	tcase_add_test(tcase, probe_run_same_path_twice_is_asked_once);
	tcase_add_test(tcase, probe_run_for_another_path_forgets_nothing_at_once);
	tcase_add_test(tcase, probe_run_forgets_paths_that_are_no_longer_named);
	tcase_add_test(tcase, probe_run_missing_binary_is_a_warning_once);
	tcase_add_test(tcase, probe_run_binary_that_appears_is_asked);
	tcase_add_test(tcase, probe_run_binary_that_goes_away_is_a_warning);
	tcase_add_test(tcase, probe_get_unknown_path_is_null);
	return unit_run(suite);
}
