/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stays of a rejected configuration, and until when (docs/dropins.md). */
#include "dropins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what stays of a rejected configuration --- */

static const char *rejected(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/rejected%s%s", sandbox.state, *name ? "/" : "", name);
	return path;
}

static void assert_rejected(const char *name, const char *text)
{
	FILE *file = fopen(rejected(name), "re");
	char content[4096];
	struct stat st;

	ck_assert_msg(file != NULL, "%s: %s", rejected(name), strerror(errno));
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	fclose(file);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_str_eq(content, text);
}

static void assert_nothing_rejected(void)
{
	ck_assert_int_lt(access(rejected(""), F_OK), 0);
	ck_assert_int_lt(access(rejected(".new"), F_OK), 0);
}

START_TEST(rejected_files_stay_with_their_errors_until_a_reload_succeeds)
{
	char errors[512];
	struct stat st;

	open_registry();
	assert_nothing_rejected();
	sandbox_write(&sandbox, "{\"labels\":[\"bad\"]}");
	put("a.json", "{\"mtu\":-1}");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	assert_rejected("daemon.json", "{\"labels\":[\"bad\"]}");
	assert_rejected("daemon.json.d/a.json", "{\"mtu\":-1}");
	snprintf(errors, sizeof(errors), "bad attribute format: bad\n%s.d/a.json: invalid default MTU: -1\n",
	         sandbox.options.config_file);
	assert_rejected("errors", errors);
	ck_assert_int_eq(stat(rejected(""), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(rejected("daemon.json.d"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	drop("a.json");
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	assert_rejected("daemon.json", "{,");
	ck_assert_int_lt(access(rejected("daemon.json.d"), F_OK), 0);
	sandbox_write(&sandbox, "{}");
	reload();
	ck_assert(rtreg_report_unchanged(report));
	assert_nothing_rejected();
}
END_TEST

START_TEST(rejected_body_stays_also_without_an_error_wanted)
{
	struct rtreg_source source = {.bytes = "{\"x\":1}", .size = 7};

	open_registry();
	ck_assert_int_eq(rtreg_reload(registry, &source, 0, NULL, NULL), -EINVAL);
	assert_rejected("body.json", "{\"x\":1}");
	assert_rejected("errors", "the following directives don't match any configuration option: x\n");
}
END_TEST

START_TEST(rejected_leaves_secrets_out_of_the_errors)
{
	struct rtreg_flag flag = {"http-proxy", "http://u:hush@p"};
	FILE *file;
	char line[512] = "";

	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	open_registry();
	sandbox_write(&sandbox, "{\"proxies\":{\"http-proxy\":\"http://u:hush@q\"}}");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	file = fopen(rejected("errors"), "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	fclose(file);
	ck_assert_ptr_nonnull(strstr(line, "xxxxx:xxxxx@q"));
	ck_assert_ptr_null(strstr(line, "hush"));
}
END_TEST

static int refuse(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)txn;
	(void)context;
	snprintf(ret_error->message, sizeof(ret_error->message), "the engine says no");
	return -EXDEV;
}

START_TEST(rejected_by_a_step_stays_too)
{
	open_registry();
	rtreg_add_step(registry, "no", refuse, NULL);
	sandbox_write(&sandbox, "{\"debug\":true}");
	ck_assert_int_eq(reload_from(NULL, 0), -EXDEV);
	assert_rejected("errors", "the engine says no\n");
}
END_TEST

START_TEST(rejected_is_nothing_of_dry_runs_and_wrong_generations)
{
	struct rtreg_source bad = {.bytes = "{,", .size = 2}, good = {.bytes = "{}", .size = 2};

	open_registry();
	ck_assert_int_eq(reload_from(&bad, RTREG_RELOAD_DRY_RUN), -EINVAL);
	ck_assert_int_eq(rtreg_reload_if(registry, &good, 0, 7, NULL, &failure), -ESTALE);
	assert_nothing_rejected();
	ck_assert_int_eq(reload_from(&bad, 0), -EINVAL);
	ck_assert_int_eq(reload_from(&good, RTREG_RELOAD_DRY_RUN), 0);
	assert_rejected("body.json", "{,");
}
END_TEST

START_TEST(rejected_goes_with_the_next_start)
{
	open_registry();
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	rtreg_close(registry);
	registry = NULL;
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &failure), -EINVAL);
	assert_rejected("daemon.json", "{,");
	sandbox_write(&sandbox, "{}");
	open_registry();
	assert_nothing_rejected();
}
END_TEST

START_TEST(rejected_earlier_goes_with_a_failure_that_could_not_read_all)
{
	open_registry();
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	assert_rejected("daemon.json", "{,");
	ck_assert_int_eq(symlink("nowhere", place("a.json")), 0);
	ck_assert_int_lt(reload_from(NULL, 0), 0);
	assert_nothing_rejected();
}
END_TEST

START_TEST(rejected_is_nothing_of_refused_changes)
{
	struct rtreg_change change = {
	        .kind = RTREG_PUT_RUNTIME, .name = "r", .entry = "{}", .entry_size = strlen("{}")};

	open_registry();
	ck_assert_int_eq(rtreg_change(registry, &change, 0, NULL, NULL), -EINVAL);
	assert_nothing_rejected();
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	ck_assert_int_eq(rtreg_change(registry, &change, 0, NULL, NULL), -EINVAL);
	assert_rejected("daemon.json", "{,");
	sandbox_write(&sandbox, "{}");
	change.entry = "{\"path\":\"/bin/true\"}";
	change.entry_size = strlen(change.entry);
	ck_assert_int_eq(rtreg_change(registry, &change, 0, NULL, NULL), 0);
	assert_nothing_rejected();
}
END_TEST

START_TEST(rejected_on_trial_stays_over_the_way_back)
{
	struct rtreg_source good = {.bytes = "{\"debug\":true}", .size = 14},
	                    bad = {.bytes = "{,", .size = 2};

	open_registry();
	ck_assert_int_eq(reload_from(&good, RTREG_RELOAD_TRIAL), 0);
	ck_assert_int_eq(reload_from(&bad, 0), -EINVAL);
	ck_assert_int_eq(rtreg_revert(registry, NULL, NULL), 0);
	assert_rejected("body.json", "{,");
}
END_TEST

static char logged[512];

static void note(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level == RTREG_LOG_WARN)
		snprintf(logged, sizeof(logged), "%s", message);
}

/* The state directory is gone from under it, where nothing can be made any more, not even by root. */
START_TEST(rejected_that_cannot_be_written_is_a_warning)
{
	char runtimes[160], lock[160], number[160], runtime[160];

	sandbox.options.log = note;
	open_registry();
	snprintf(runtimes, sizeof(runtimes), "%s/runtimes", sandbox.state);
	snprintf(lock, sizeof(lock), "%s/lock", sandbox.state);
	snprintf(number, sizeof(number), "%s/generation", sandbox.state);
	snprintf(runtime, sizeof(runtime), "%s/default-runtime", sandbox.state);
	ck_assert_int_eq(rmdir(runtimes), 0);
	ck_assert_int_eq(unlink(runtime), 0);
	ck_assert_int_eq(unlink(lock), 0);
	ck_assert_int_eq(unlink(number), 0);
	ck_assert_int_eq(rmdir(sandbox.state), 0);
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.message, "invalid JSON: "));
	ck_assert_ptr_nonnull(strstr(logged, "cannot be kept in"));
	ck_assert_ptr_nonnull(strstr(logged, sandbox.state));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rejected");
	TCase *tcase = tcase_create("rejected");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, dropins_setup, dropins_teardown);
	tcase_add_test(tcase, rejected_files_stay_with_their_errors_until_a_reload_succeeds);
	tcase_add_test(tcase, rejected_body_stays_also_without_an_error_wanted);
	tcase_add_test(tcase, rejected_leaves_secrets_out_of_the_errors);
	tcase_add_test(tcase, rejected_by_a_step_stays_too);
	tcase_add_test(tcase, rejected_is_nothing_of_dry_runs_and_wrong_generations);
	tcase_add_test(tcase, rejected_goes_with_the_next_start);
	tcase_add_test(tcase, rejected_earlier_goes_with_a_failure_that_could_not_read_all);
	tcase_add_test(tcase, rejected_is_nothing_of_refused_changes);
	tcase_add_test(tcase, rejected_on_trial_stays_over_the_way_back);
	tcase_add_test(tcase, rejected_that_cannot_be_written_is_a_warning);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
