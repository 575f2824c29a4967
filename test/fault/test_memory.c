/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fails the N-th allocation, for every N until the operation gets by without: it must return -ENOMEM (or
 * succeed all the same), leave what was live as it was, and leak nothing, which the address sanitizer sees.
 * json-c's tokener is left out, see fault.h.
 */
#include "world.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fault.h"
#include "runtimes/probe.h"

#define LIMIT 20000 /* more allocations than any of these makes */

static struct world world;

static void setup(void)
{
	world_init(&world);
	world_prepare(&world, 1000000);
}

static void setup_open(void)
{
	setup();
	ck_assert_msg(world_open(&world) == 0, "%s", world.error.message);
}

static void teardown(void)
{
	world_fini(&world);
}

/* Without memory the message says so. */
static void assert_no_memory(int r, int otherwise)
{
	ck_assert_msg(r == -ENOMEM || r == otherwise, "returned %d: %s", r, world.error.message);
	if (r == -ENOMEM)
		ck_assert_msg(strstr(world.error.message, "memory"), "%s", world.error.message);
}

static void undo(void)
{
	rtreg_error_fini(&world.error);
}

/* --- validating and opening --- */

static int validate(struct world *w)
{
	struct rtreg_report *report = NULL;
	int r = rtreg_validate(&w->sandbox.options, NULL, &report, &w->error);

	rtreg_report_free(report);
	return r;
}

START_TEST(validate_without_memory_says_so)
{
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		fault_memory(n);
		r = validate(&world);
		failed = fault_end();
		assert_no_memory(r, 0);
		undo();
	}
}
END_TEST

START_TEST(open_without_memory_says_so_and_takes_nothing)
{
	struct rtreg *const untouched = (struct rtreg *)&world;
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		world_prepare(&world, n);
		world.registry = untouched;
		fault_memory(n);
		r = world_open(&world);
		failed = fault_end();
		if (r < 0) {
			ck_assert_ptr_eq(world.registry, untouched);
			world.registry = NULL;
		}
		assert_no_memory(r, 0);
		world_assert_sound(&world);
		rtreg_close(world.registry);
		world.registry = NULL;
		undo();
	}
	world_assert_works(&world);
}
END_TEST

/* --- reloading --- */

static void reload_with_faults(int expected)
{
	struct picture before;
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		world_prepare(&world, n);
		picture_take(&before, &world);
		fault_memory(n);
		r = world_reload(&world);
		failed = fault_end();
		assert_no_memory(r, expected);
		if (r < 0)
			picture_assert_same(&before, &world);
		world_assert_sound(&world);
		picture_fini(&before);
		undo();
	}
}

START_TEST(reload_without_memory_changes_nothing)
{
	reload_with_faults(0);
	world_assert_works(&world);
}
END_TEST

START_TEST(reload_whose_step_fails_without_memory_changes_nothing)
{
	world.second_step_fails = true;
	reload_with_faults(STEP_CODE);
	world_assert_works(&world);
}
END_TEST

START_TEST(reload_unchanged_without_memory_changes_nothing)
{
	struct picture before;
	bool failed = true;

	picture_take(&before, &world);
	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		fault_memory(n);
		r = world_reload(&world);
		failed = fault_end();
		assert_no_memory(r, 0);
		picture_assert_same(&before, &world);
		undo();
	}
	picture_fini(&before);
}
END_TEST

START_TEST(dry_run_without_memory_changes_nothing)
{
	struct rtreg_source source = {.bytes = world.text};
	struct picture before;
	bool failed = true;

	picture_take(&before, &world);
	world_prepare(&world, 1);
	source.size = strlen(world.text);
	for (unsigned long n = 1; failed; n++) {
		struct rtreg_report *report = NULL;
		int r;

		fault_memory(n);
		r = rtreg_reload(world.registry, &source, RTREG_RELOAD_DRY_RUN, &report, &world.error);
		failed = fault_end();
		assert_no_memory(r, 0);
		ck_assert(r < 0 || report);
		rtreg_report_free(report);
		picture_assert_same(&before, &world);
		undo();
	}
	picture_fini(&before);
}
END_TEST

/* What is wrong is told, or that there was no memory to tell it. */
START_TEST(reload_of_a_bad_file_without_memory_is_an_error_all_the_same)
{
	static const char bad[] =
	        "{\"lables\":[],\"debug\":3,\"labels\":[\"a=1\",\"a=2\",\"x\"],\"hosts\":[\"x://y\",\"tcp://"
	        ":x\"],"
	        "\"registry-mirrors\":[\"https://u:p@m\"],\"insecure-registries\":[\"-\",\"a b\"],"
	        "\"node-generic-resources\":[\"a=1\",\"a=b\"],\"exec-opts\":[\"x=y\"],\"dns\":[\"x\"],"
	        "\"runtimes\":{\"r\":{},\"runc\":{\"path\":\"/x\"}},\"default-shm-size\":\"1q\"}";
	struct rtreg_source source = {.bytes = bad, .size = sizeof(bad) - 1};
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		fault_memory(n);
		r = rtreg_reload(world.registry, &source, 0, NULL, &world.error);
		failed = fault_end();
		ck_assert_msg(r == -EINVAL || r == -ENOMEM, "%d", r);
		ck_assert_int_eq(world.error.code, r);
		ck_assert_str_ne(world.error.message, "");
		undo();
	}
	world_assert_works(&world);
}
END_TEST

/* --- files with drop-ins --- */

static void put_dropin(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_dropin(const char *name, const char *format, ...)
{
	char path[256];
	va_list args;
	FILE *file;

	snprintf(path, sizeof(path), "%s.d", world.sandbox.config);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s.d/%s", world.sandbox.config, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static int reload_files(void)
{
	struct rtreg_report *report = NULL;
	int r = rtreg_reload(world.registry, NULL, 0, &report, &world.error);

	rtreg_report_free(report);
	return r;
}

START_TEST(reload_of_drop_ins_without_memory_changes_nothing)
{
	struct picture before;
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		world_prepare(&world, n);
		put_dropin("1.json", "{\"debug\":%s,\"runtimes\":{\"x%lu\":{\"path\":\"/x\"}}}",
		           n % 2 ? "true" : "false", n % 5);
		put_dropin("2.json", "{%s}", n % 3 ? "" : "\"shutdown-timeout\":7");
		picture_take(&before, &world);
		fault_memory(n);
		r = reload_files();
		failed = fault_end();
		assert_no_memory(r, 0);
		if (r < 0)
			picture_assert_same(&before, &world);
		world_assert_sound(&world);
		picture_fini(&before);
		undo();
	}
	world_assert_works(&world);
}
END_TEST

/* The values stay the same, only their files change. */
START_TEST(reload_of_a_move_without_memory_changes_nothing)
{
	struct picture before;
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		sandbox_write(&world.sandbox, "{}");
		put_dropin("1.json", "{%s}", n % 2 ? "\"debug\":true" : "");
		put_dropin("2.json", "{%s}", n % 2 ? "" : "\"debug\":true");
		picture_take(&before, &world);
		fault_memory(n);
		r = reload_files();
		failed = fault_end();
		assert_no_memory(r, 0);
		if (r < 0)
			picture_assert_same(&before, &world);
		picture_fini(&before);
		undo();
	}
	world_assert_works(&world);
}
END_TEST

START_TEST(reload_of_bad_drop_ins_without_memory_is_an_error_all_the_same)
{
	bool failed = true;

	sandbox_write(&world.sandbox, "{\"debug\":true,\"runtimes\":{\"r\":{\"path\":\"/r\"}}}");
	put_dropin("1.json", "{\"debug\":true,\"nonsense\":1,\"restart\":true}");
	put_dropin("2.json", "{\"mtu\":\"x\",\"runtimes\":{\"r\":{\"path\":\"/r\"}}}");
	for (unsigned long n = 1; failed; n++) {
		int r;

		ck_assert_uint_lt(n, LIMIT);
		fault_memory(n);
		r = reload_files();
		failed = fault_end();
		ck_assert_msg(r == -EINVAL || r == -ENOMEM, "%d", r);
		ck_assert_int_eq(world.error.code, r);
		ck_assert_str_ne(world.error.message, "");
		undo();
	}
	world_assert_works(&world);
}
END_TEST

/* --- adding --- */

START_TEST(add_step_and_key_without_memory_add_nothing)
{
	int r = -ENOMEM;

	for (unsigned long n = 1; r < 0; n++) {
		fault_memory(n);
		r = rtreg_add_step(world.registry, "third", world.steps[0].prepare, &world);
		fault_end();
		ck_assert(r == 0 || r == -ENOMEM);
	}
	r = -ENOMEM;
	for (unsigned long n = 1; r < 0; n++) {
		fault_memory(n);
		r = rtreg_add_key(world.registry, "own-key", RTREG_TYPE_STRINGS);
		fault_end();
		ck_assert(r == 0 || r == -ENOMEM);
	}
	ck_assert_int_eq(rtreg_add_key(world.registry, "own-key", RTREG_TYPE_STRINGS), -EEXIST);
	world_assert_works(&world);
}
END_TEST

/* --- getters --- */

START_TEST(getters_json_without_memory_is_null)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(world.registry);
	struct rtreg_value value = rtreg_snapshot_value(snapshot, "runtimes");
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		char *config, *runtimes, *json;

		fault_memory(n);
		config = rtreg_snapshot_json(snapshot);
		runtimes = rtreg_snapshot_runtimes_json(snapshot);
		json = rtreg_value_json(&value);
		failed = fault_end();
		ck_assert_int_eq(!config || !runtimes || !json, failed);
		free(config);
		free(runtimes);
		free(json);
	}
	rtreg_unpin(snapshot);
}
END_TEST

/* What a reader may call allocates nothing, for the message of an error neither. */
START_TEST(readers_allocate_nothing)
{
	static const char *const names[] = {"", "a", "io.x.v1", "a\nb", "x/y"};
	const struct rtreg_snapshot *snapshot;
	struct rtreg_runtime runtime;
	int results[5];
	bool failed;

	/* check allocates within its assertions. */
	fault_memory(1);
	snapshot = rtreg_pin(world.registry);
	for (int i = 0; i < 5; i++)
		results[i] = rtreg_resolve(snapshot, names[i], &runtime, &world.error);
	rtreg_snapshot_label(snapshot, 0);
	rtreg_snapshot_value(snapshot, "labels");
	rtreg_unpin(snapshot);
	failed = fault_end();
	ck_assert(!failed);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(results[i], i < 3 ? 0 : -EINVAL);
	ck_assert_str_eq(world.error.message, "unknown or invalid runtime name: x/y");
}
END_TEST

/* --- probing --- */

START_TEST(probe_without_memory_forgets_nothing)
{
	struct probe_cache *cache = probe_cache_new(NULL);
	struct problems problems = {0};
	char path[128], missing[128];
	const char *paths[] = {path, missing};
	char *document = NULL;
	bool failed = true;
	int r;

	snprintf(path, sizeof(path), "%s/probed", world.sandbox.directory);
	snprintf(missing, sizeof(missing), "%s/missing", world.sandbox.directory);
	ck_assert_int_eq(probe_run(cache, paths, 2, 60000, &problems, NULL), 0);
	for (unsigned long n = 1; failed; n++) {
		struct probe_answers *answers = NULL;

		world_prepare(&world, n);
		fault_memory(n);
		r = probe_run(cache, paths, 2, 60000, &problems, &answers);
		failed = fault_end();
		ck_assert(r == 0 || r == -ENOMEM);
		ck_assert(r == 0 ? probe_answers_get(answers, path) != NULL : !answers);
		probe_answers_free(answers);
		ck_assert_int_eq(probe_get(cache, path, &document), 0);
		ck_assert_ptr_nonnull(document);
		free(document);
	}
	fault_memory(1);
	r = probe_get(cache, path, &document);
	fault_end();
	ck_assert_int_eq(r, -ENOMEM);
	problems_fini(&problems);
	probe_cache_free(cache);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *closed = tcase_create("closed"), *open = tcase_create("open");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(closed, 200);
	tcase_add_checked_fixture(closed, setup, teardown);
	tcase_add_test(closed, validate_without_memory_says_so);
	tcase_add_test(closed, open_without_memory_says_so_and_takes_nothing);
	tcase_add_test(closed, probe_without_memory_forgets_nothing);
	suite_add_tcase(suite, closed);
	tcase_set_timeout(open, 200);
	tcase_add_checked_fixture(open, setup_open, teardown);
	tcase_add_test(open, reload_without_memory_changes_nothing);
	tcase_add_test(open, reload_whose_step_fails_without_memory_changes_nothing);
	tcase_add_test(open, reload_unchanged_without_memory_changes_nothing);
	tcase_add_test(open, dry_run_without_memory_changes_nothing);
	tcase_add_test(open, reload_of_a_bad_file_without_memory_is_an_error_all_the_same);
	tcase_add_test(open, reload_of_drop_ins_without_memory_changes_nothing);
	tcase_add_test(open, reload_of_a_move_without_memory_changes_nothing);
	tcase_add_test(open, reload_of_bad_drop_ins_without_memory_is_an_error_all_the_same);
	tcase_add_test(open, add_step_and_key_without_memory_add_nothing);
	tcase_add_test(open, getters_json_without_memory_is_null);
	tcase_add_test(open, readers_allocate_nothing);
	suite_add_tcase(suite, open);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
