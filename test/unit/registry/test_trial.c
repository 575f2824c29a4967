/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations on trial (docs/confirm.md): confirming, going back, and what a start takes. What is the same
 * in all of liburcu's flavours, in one of them. test/fault/test_crash.c has what a crash leaves behind.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static char warnings[4096];

static void note_log(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level == RTREG_LOG_WARN)
		strncat(warnings, message, sizeof(warnings) - strlen(warnings) - 1);
}

static void setup(void)
{
	sandbox_init(&sandbox);
	sandbox.options.log = note_log;
	warnings[0] = '\0';
}

static void teardown(void)
{
	rtreg_close(registry);
	registry = NULL;
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static void open_registry(void)
{
	warnings[0] = '\0';
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

static void reopen(void)
{
	rtreg_close(registry);
	registry = NULL;
	open_registry();
}

static void start_with(const char *config)
{
	sandbox_write(&sandbox, "%s", config);
	open_registry();
}

static int reload_files(unsigned flags)
{
	return rtreg_reload(registry, NULL, flags, NULL, &error);
}

static int reload_body(const char *config, unsigned flags)
{
	struct rtreg_source source = {.bytes = config, .size = strlen(config)};

	return rtreg_reload(registry, &source, flags, NULL, &error);
}

/* Puts `config` into the file and on trial. */
static void try_file(const char *config)
{
	sandbox_write(&sandbox, "%s", config);
	ck_assert_msg(reload_files(RTREG_RELOAD_TRIAL) == 0, "%s", error.message);
	ck_assert(rtreg_on_trial(registry, NULL));
}

static void write_dropin(const char *name, const char *config)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s.d", sandbox.config);
	ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s.d/%s", sandbox.config, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(config, file);
	fclose(file);
}

static uint64_t generation(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t ret = rtreg_snapshot_generation(snapshot);

	rtreg_unpin(snapshot);
	return ret;
}

/* The whole configuration with its origins, without the generation; the caller's. */
static char *picture(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	char *json = rtreg_snapshot_json(snapshot), *ret;

	rtreg_unpin(snapshot);
	ck_assert_ptr_nonnull(json);
	ret = strdup(strchr(json, ','));
	free(json);
	return ret;
}

static void assert_picture(const char *before)
{
	char *now = picture();

	ck_assert_str_eq(now, before);
	free(now);
}

static void assert_label(const char *label)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);

	ck_assert_pstr_eq(rtreg_snapshot_label(snapshot, 0), label);
	rtreg_unpin(snapshot);
}

static const char *record_path(void)
{
	static char path[192];

	snprintf(path, sizeof(path), "%s/confirmed.json", sandbox.state);
	return path;
}

static bool has_record(void)
{
	return access(record_path(), F_OK) == 0;
}

static void write_record(const char *text)
{
	FILE *file;

	mkdir(sandbox.state, 0700);
	file = fopen(record_path(), "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static bool record_has(const char *text)
{
	char content[8192] = "";
	FILE *file = fopen(record_path(), "re");

	ck_assert_ptr_nonnull(file);
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	return strstr(content, text) != NULL;
}

/* --- begin --- */

START_TEST(reload_on_trial_is_live_and_names_the_confirmed_generation)
{
	struct stat st;
	uint64_t confirmed = 0;

	start_with("{\"labels\":[\"a=1\"]}");
	ck_assert(!rtreg_on_trial(registry, &confirmed));
	ck_assert_uint_eq(confirmed, 0);
	try_file("{\"labels\":[\"a=2\"]}");
	assert_label("a=2");
	ck_assert(rtreg_on_trial(registry, &confirmed));
	ck_assert_uint_eq(confirmed, 1);
	ck_assert_int_eq(stat(record_path(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert(record_has("a=1"));
}
END_TEST

START_TEST(reload_on_trial_that_publishes_nothing_begins_no_trial)
{
	static const struct {
		const char *config;
		unsigned flags;
		int result;
	} cases[] = {
	        {"{\"labels\":[\"a=1\"]}", RTREG_RELOAD_TRIAL, 0},
	        {"{\"labels\":[\"a=2\"]}", RTREG_RELOAD_TRIAL | RTREG_RELOAD_DRY_RUN, 0},
	        {"{\"lables\":[]}", RTREG_RELOAD_TRIAL, -EINVAL},
	};

	start_with("{\"labels\":[\"a=1\"]}");
	sandbox_write(&sandbox, "%s", cases[_i].config);
	ck_assert_int_eq(reload_files(cases[_i].flags), cases[_i].result);
	ck_assert(!rtreg_on_trial(registry, NULL));
	ck_assert(!has_record());
	ck_assert_uint_eq(generation(), 1);
}
END_TEST

static int refuse(struct rtreg_txn *txn, void *context, struct rtreg_error *why)
{
	(void)txn;
	(void)why;
	return *(bool *)context ? -EUNATCH : 0;
}

START_TEST(reload_on_trial_whose_step_fails_begins_no_trial)
{
	bool fails = false;

	start_with("{\"labels\":[\"a=1\"]}");
	ck_assert_int_eq(rtreg_add_step(registry, "refuses", refuse, &fails), 0);
	fails = true;
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=2\"]}", RTREG_RELOAD_TRIAL), -EUNATCH);
	ck_assert(!rtreg_on_trial(registry, NULL));
	ck_assert(!has_record());
	fails = false;
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=2\"]}", RTREG_RELOAD_TRIAL), 0);
	fails = true;
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), -EUNATCH);
	ck_assert(rtreg_on_trial(registry, NULL));
	assert_label("a=2");
	ck_assert(has_record());
}
END_TEST

START_TEST(nothing_on_trial_is_esrch)
{
	start_with("{}");
	ck_assert_int_eq(rtreg_confirm(registry, &error), -ESRCH);
	ck_assert_str_eq(error.message, "nothing waits for a confirmation");
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), -ESRCH);
	ck_assert_str_eq(error.message, "nothing waits for a confirmation");
	try_file("{\"debug\":true}");
	ck_assert_int_eq(rtreg_confirm(registry, &error), 0);
	ck_assert_int_eq(rtreg_confirm(registry, NULL), -ESRCH);
	ck_assert_int_eq(rtreg_revert(registry, NULL, NULL), -ESRCH);
}
END_TEST

static int call_from_step(struct rtreg_txn *txn, void *context, struct rtreg_error *why)
{
	int *results = context;

	(void)txn;
	(void)why;
	results[0] = rtreg_confirm(registry, NULL);
	results[1] = rtreg_revert(registry, NULL, NULL);
	return 0;
}

START_TEST(confirm_and_revert_from_a_step_or_a_section_are_edeadlk)
{
	int results[2] = {0};

	start_with("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "calls", call_from_step, results), 0);
	try_file("{\"debug\":true}");
	ck_assert_int_eq(results[0], -EDEADLK);
	ck_assert_int_eq(results[1], -EDEADLK);
	rcu_register_thread();
	reader_begin();
	ck_assert_int_eq(rtreg_confirm(registry, NULL), -EDEADLK);
	ck_assert_int_eq(rtreg_revert(registry, NULL, NULL), -EDEADLK);
	reader_end(registry);
	rcu_unregister_thread();
	ck_assert(rtreg_on_trial(registry, NULL));
}
END_TEST

/* --- confirm and revert --- */

START_TEST(confirm_keeps_what_is_live_for_a_start_too)
{
	struct rtreg_pinned pinned;

	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_uint_eq(rtreg_pinned(registry, &pinned, 1), 1);
	ck_assert_uint_eq(pinned.generation, 1);
	ck_assert_int_eq(rtreg_confirm(registry, &error), 0);
	ck_assert_uint_eq(rtreg_pinned(registry, &pinned, 1), 0);
	ck_assert(!rtreg_on_trial(registry, NULL));
	ck_assert(!has_record());
	assert_label("a=2");
	reopen();
	assert_label("a=2");
	ck_assert(!rtreg_reverted_at_open(registry));
}
END_TEST

START_TEST(revert_publishes_the_confirmed_values_and_origins_under_a_new_generation)
{
	struct rtreg_report *report = NULL;
	char *before;

	write_dropin("40-a.json", "{\"runtimes\":{\"a\":{\"path\":\"/opt/a\"}},\"max-download-attempts\":7}");
	start_with(
	        "{\"labels\":[\"a=1\"],\"shutdown-timeout\":3,\"runtimes\":{\"m\":{\"path\":\"/opt/m\"}}}");
	before = picture();
	write_dropin("40-a.json", "{\"runtimes\":{\"b\":{\"path\":\"/opt/b\"}}}");
	try_file("{\"labels\":[],\"shutdown-timeout\":0,\"debug\":true,\"runtimes\":{}}");
	ck_assert_int_eq(rtreg_revert(registry, &report, &error), 0);
	ck_assert_uint_eq(rtreg_report_generation(report), 3);
	ck_assert_uint_eq(rtreg_report_previous(report), 2);
	ck_assert_ptr_nonnull(strstr(rtreg_report_changed_json(report), "runtimes.a"));
	rtreg_report_free(report);
	ck_assert_uint_eq(generation(), 3);
	ck_assert(!rtreg_on_trial(registry, NULL));
	assert_picture(before);
	free(before);
}
END_TEST

START_TEST(further_reloads_confirm_nothing)
{
	uint64_t confirmed = 0;

	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=3\"]}", 0), 0);
	sandbox_write(&sandbox, "{\"labels\":[\"a=4\"]}");
	ck_assert_int_eq(reload_files(0), 0);
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=5\"]}", RTREG_RELOAD_TRIAL), 0);
	ck_assert(rtreg_on_trial(registry, &confirmed));
	ck_assert_uint_eq(confirmed, 1);
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	assert_label("a=1");
	/* The files that were tried last are those of the fourth. */
	reopen();
	ck_assert(rtreg_reverted_at_open(registry));
	assert_label("a=1");
}
END_TEST

/* --- starts --- */

START_TEST(start_with_a_trial_pending_takes_the_confirmed_values_and_origins)
{
	static const struct rtreg_flag flags[] = {{"add-runtime", "f=/opt/f"},
	                                          {"max-download-attempts", "9"}};
	char *before;

	sandbox.options.flags = flags;
	sandbox.options.flag_count = 2;
	write_dropin("40-a.json",
	             "{\"runtimes\":{\"a\":{\"path\":\"/opt/a\",\"runtimeArgs\":[\"--x\"]}},"
	             "\"log-opts\":{\"token\":\"secret\"},\"registry-mirrors\":[\"https://m\"]}");
	start_with("{\"labels\":[\"a=1\"],\"mtu\":1400,\"default-shm-size\":\"1g\",\"runtimes\":{\"m\":{"
	           "\"runtimeType\":\"io.m.v1\",\"options\":{\"n\":1e2,\"x\":{\"y\":[null,true]}}}},"
	           "\"proxies\":{\"http-proxy\":\"http://u:p@proxy\",\"no-proxy\":\"localhost\"},"
	           "\"default-address-pools\":[{\"base\":\"10.0.0.0/8\",\"size\":24}],\"dns\":[\"1.1.1.1\"],"
	           "\"default-ulimits\":{\"nofile\":{\"Name\":\"nofile\",\"Hard\":2,\"Soft\":1}}}");
	/* What no file can say at a start. */
	ck_assert_int_eq(reload_body("{\"shutdown-timeout\":0,\"labels\":[],\"runtimes\":{\"m\":{\"path\":\"/"
	                             "opt/m\"},\"f\":{\"path\":\"/f\"}}}",
	                             0),
	                 0);
	before = picture();
	try_file("{\"labels\":[\"a=2\"],\"mtu\":1300}");
	reopen();
	ck_assert(rtreg_reverted_at_open(registry));
	ck_assert(!rtreg_on_trial(registry, NULL));
	ck_assert_ptr_nonnull(strstr(warnings, "was not confirmed"));
	assert_picture(before);
	free(before);
}
END_TEST

/* The deepest configuration that can be read: there is no room for one more level around it. */
START_TEST(start_with_a_trial_pending_reads_the_deepest_values)
{
	static const char open[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[", close[] = "]]]]]]]]]]]]]]]]]]]]]]]]]]]]";
	char config[256], *before;

	snprintf(config, sizeof(config),
	         "{\"runtimes\":{\"m\":{\"runtimeType\":\"io.m.v1\",\"options\":{\"a\":%s%s}}}}", open,
	         close);
	start_with(config);
	before = picture();
	try_file("{\"runtimes\":{}}");
	reopen();
	assert_picture(before);
	free(before);
}
END_TEST

START_TEST(start_after_a_revert_takes_the_files_once_they_have_changed)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	for (int i = 0; i < 2; i++) {
		reopen();
		ck_assert(rtreg_reverted_at_open(registry));
		ck_assert_ptr_nonnull(strstr(warnings, "reverted"));
		ck_assert_ptr_nonnull(strstr(warnings, "change the files"));
		assert_label("a=1");
	}
	sandbox_write(&sandbox, "{\"labels\":[\"a=3\"]}");
	reopen();
	ck_assert(!rtreg_reverted_at_open(registry));
	ck_assert_str_eq(warnings, "");
	assert_label("a=3");
	ck_assert(!has_record());
}
END_TEST

START_TEST(start_after_a_revert_sees_a_change_of_any_file)
{
	char path[256];

	write_dropin("a.json", "{\"debug\":true}");
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	if (_i == 0) {
		write_dropin("a.json", "{ \"debug\":true}");
	} else if (_i == 1) {
		write_dropin("b.json", "");
	} else {
		snprintf(path, sizeof(path), "%s.d/a.json", sandbox.config);
		ck_assert_int_eq(unlink(path), 0);
	}
	reopen();
	assert_label("a=2");
}
END_TEST

START_TEST(start_after_a_start_that_went_back_takes_the_confirmed_one_while_the_files_stay)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	for (int i = 0; i < 3; i++) {
		reopen();
		assert_label("a=1");
	}
	ck_assert(record_has("\"reverted\""));
	sandbox_write(&sandbox, "{\"labels\":[\"a=3\"]}");
	reopen();
	assert_label("a=3");
}
END_TEST

START_TEST(start_with_a_trial_pending_does_not_look_at_the_files)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	sandbox_write(&sandbox, "broken");
	reopen();
	assert_label("a=1");
	rtreg_close(registry);
	registry = NULL;
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &error), -EINVAL);
	ck_assert_msg(strncmp(error.message, "invalid JSON", 12) == 0, "%s", error.message);
}
END_TEST

START_TEST(reload_of_files_tells_which_are_refused_though_it_changes_nothing)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	sandbox_write(&sandbox, "{ \"labels\":[\"a=2\"] }");
	ck_assert_int_eq(reload_files(0), 0);
	ck_assert_uint_eq(generation(), 2);
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	reopen();
	assert_label("a=1");
}
END_TEST

START_TEST(reload_of_files_after_a_revert_is_what_the_operator_wants)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=9\"]}", 0), 0);
	ck_assert(has_record());
	if (_i == 1)
		sandbox_write(&sandbox, "{\"labels\":[\"a=9\"]}");
	ck_assert_int_eq(reload_files(0), 0);
	assert_label(_i == 1 ? "a=9" : "a=2");
	ck_assert(!has_record());
	reopen();
	assert_label(_i == 1 ? "a=9" : "a=2");
}
END_TEST

/* --- bodies --- */

START_TEST(body_on_trial_leaves_no_record_after_its_revert)
{
	start_with("{\"labels\":[\"a=1\"]}");
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=2\"]}", RTREG_RELOAD_TRIAL), 0);
	ck_assert(has_record());
	if (_i == 0)
		ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	else
		reopen();
	assert_label("a=1");
	ck_assert(!has_record());
}
END_TEST

/* The files were reverted before, and a body on trial does not change that. */
START_TEST(body_on_trial_after_a_revert_does_not_make_the_files_good)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=3\"]}", RTREG_RELOAD_TRIAL), 0);
	if (_i == 0)
		ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	if (_i == 1)
		ck_assert_int_eq(rtreg_confirm(registry, &error), 0);
	reopen();
	assert_label("a=1");
	reopen();
	assert_label("a=1");
}
END_TEST

START_TEST(files_on_trial_after_a_body_on_trial_can_be_confirmed)
{
	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[\"a=2\"]}");
	ck_assert_int_eq(rtreg_revert(registry, NULL, &error), 0);
	ck_assert_int_eq(reload_body("{\"labels\":[\"a=3\"]}", RTREG_RELOAD_TRIAL), 0);
	ck_assert_int_eq(reload_files(0), 0);
	ck_assert_int_eq(rtreg_confirm(registry, &error), 0);
	ck_assert(!has_record());
	reopen();
	assert_label("a=2");
}
END_TEST

/* --- records that cannot be used --- */

START_TEST(damaged_record_fails_the_start_and_says_what_to_do)
{
	static const char *const damaged[] = {
	        "",
	        "{}",
	        "{\"rtreg-record\":",
	        "{\"rtreg-record\":{}}",
	        "{\"rtreg-record\":{\"version\":2,\"state\":\"pending\",\"generation\":1,\"files\":null}}",
	        "{\"rtreg-record\":{\"version\":1,\"state\":\"x\",\"generation\":1,\"files\":null}}",
	        "{\"rtreg-record\":{\"version\":1,\"state\":\"pending\",\"generation\":1,\"files\":\"12\"}}",
	        "{\"rtreg-record\":{\"version\":1,\"state\":\"pending\",\"generation\":1,\"files\":null},"
	        "\"lables\":[]}",
	        "{\"rtreg-record\":{\"version\":1,\"state\":\"pending\",\"generation\":1,\"files\":null},"
	        "\"labels\":[\"x\"]}",
	        "[]",
	        "null",
	};

	if (_i == (int)(sizeof(damaged) / sizeof(damaged[0]))) {
		mkdir(sandbox.state, 0700);
		ck_assert_int_eq(mkdir(record_path(), 0700), 0);
	} else {
		write_record(damaged[_i]);
	}
	ck_assert_int_lt(rtreg_open(&sandbox.options, &registry, &error), 0);
	ck_assert_ptr_null(registry);
	ck_assert_msg(strstr(error.message, "confirmed.json") && strstr(error.message, "remove the file"),
	              "%s", error.message);
	ck_assert_int_eq(remove(record_path()), 0);
	open_registry();
}
END_TEST
#define DAMAGED_COUNT 12

START_TEST(key_of_a_flag_conflicts_with_the_record_as_with_a_file)
{
	static const struct rtreg_flag flag = {"label", "b=1"};

	start_with("{\"labels\":[\"a=1\"]}");
	try_file("{\"labels\":[]}");
	rtreg_close(registry);
	registry = NULL;
	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "both as a flag"));
	ck_assert_ptr_nonnull(strstr(error.message, "remove the file"));
}
END_TEST

START_TEST(key_added_later_is_not_in_the_record)
{
	start_with("{\"labels\":[\"a=1\"]}");
	ck_assert_int_eq(rtreg_add_key(registry, "own-key", RTREG_TYPE_STRING), 0);
	ck_assert_int_eq(reload_body("{\"own-key\":\"x\"}", 0), 0);
	ck_assert_int_eq(reload_body("{\"own-key\":\"y\"}", RTREG_RELOAD_TRIAL), 0);
	ck_assert(!record_has("own-key"));
	reopen();
	assert_label("a=1");
}
END_TEST

/* --- at the same time --- */

#define ROUNDS 30

static int try_body(int round)
{
	struct rtreg_source source = {0};
	char config[64];

	source.size = (size_t)snprintf(config, sizeof(config), "{\"labels\":[\"n=%d\"]}", round);
	source.bytes = config;
	return rtreg_reload(registry, &source, round % 2 ? RTREG_RELOAD_TRIAL : 0, NULL, NULL);
}

static int confirm_it(int round)
{
	(void)round;
	return rtreg_confirm(registry, NULL);
}

static int revert_it(int round)
{
	(void)round;
	return rtreg_revert(registry, NULL, NULL);
}

static int look(int round)
{
	uint64_t confirmed = 0;

	(void)round;
	return rtreg_on_trial(registry, &confirmed) && confirmed == 0 ? -EINVAL : 0;
}

struct worker {
	int (*run)(int round);
	int worst;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	for (int round = 0; round < ROUNDS; round++) {
		int r = worker->run(round);

		if (r < 0 && r != -ESRCH)
			worker->worst = r;
	}
	return NULL;
}

START_TEST(trials_at_the_same_time_end_with_a_record_or_without)
{
	struct worker workers[] = {{try_body, 0}, {try_body, 0}, {confirm_it, 0}, {revert_it, 0}, {look, 0}};
	enum { COUNT = sizeof(workers) / sizeof(workers[0]) };
	pthread_t threads[COUNT];
	struct rtreg_pinned pinned;

	start_with("{\"labels\":[\"a=1\"]}");
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(workers[i].worst, 0);
	}
	ck_assert_int_eq(has_record(), rtreg_on_trial(registry, NULL));
	ck_assert_uint_eq(rtreg_pinned(registry, &pinned, 1), rtreg_on_trial(registry, NULL) ? 1 : 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trial");
	TCase *tcase = tcase_create("trial");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reload_on_trial_is_live_and_names_the_confirmed_generation);
	tcase_add_loop_test(tcase, reload_on_trial_that_publishes_nothing_begins_no_trial, 0, 3);
	tcase_add_test(tcase, reload_on_trial_whose_step_fails_begins_no_trial);
	tcase_add_test(tcase, nothing_on_trial_is_esrch);
	tcase_add_test(tcase, confirm_and_revert_from_a_step_or_a_section_are_edeadlk);
	tcase_add_test(tcase, confirm_keeps_what_is_live_for_a_start_too);
	tcase_add_test(tcase, revert_publishes_the_confirmed_values_and_origins_under_a_new_generation);
	tcase_add_test(tcase, further_reloads_confirm_nothing);
	tcase_add_test(tcase, start_with_a_trial_pending_takes_the_confirmed_values_and_origins);
	tcase_add_test(tcase, start_with_a_trial_pending_reads_the_deepest_values);
	tcase_add_test(tcase, start_after_a_revert_takes_the_files_once_they_have_changed);
	tcase_add_loop_test(tcase, start_after_a_revert_sees_a_change_of_any_file, 0, 3);
	tcase_add_test(tcase,
	               start_after_a_start_that_went_back_takes_the_confirmed_one_while_the_files_stay);
	tcase_add_test(tcase, start_with_a_trial_pending_does_not_look_at_the_files);
	tcase_add_test(tcase, reload_of_files_tells_which_are_refused_though_it_changes_nothing);
	tcase_add_loop_test(tcase, reload_of_files_after_a_revert_is_what_the_operator_wants, 0, 2);
	tcase_add_loop_test(tcase, body_on_trial_leaves_no_record_after_its_revert, 0, 2);
	tcase_add_loop_test(tcase, body_on_trial_after_a_revert_does_not_make_the_files_good, 0, 3);
	tcase_add_test(tcase, files_on_trial_after_a_body_on_trial_can_be_confirmed);
	tcase_add_loop_test(tcase, damaged_record_fails_the_start_and_says_what_to_do, 0, DAMAGED_COUNT);
	tcase_add_test(tcase, key_of_a_flag_conflicts_with_the_record_as_with_a_file);
	tcase_add_test(tcase, key_added_later_is_not_in_the_record);
	tcase_add_test(tcase, trials_at_the_same_time_end_with_a_record_or_without);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
