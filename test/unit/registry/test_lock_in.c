/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lock-ins through the public header, in one liburcu flavour: what a container gets, who may ask from where, and
 * what each failure is called (docs/lockins.md).
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"
#define BOOT2 "11234567-89ab-cdef-0123-456789abcdef"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static struct rtreg_lock_in first, again;
static char logged[1024];

static void note(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level == RTREG_LOG_WARN)
		snprintf(logged, sizeof(logged), "%s", message);
}

/* Runtimes: plain, with arguments, one that is missing, one that cannot be executed, one by type. */
static void setup(void)
{
	char path[128];
	FILE *file;

	sandbox_init(&sandbox);
	snprintf(path, sizeof(path), "%s/plainfile", sandbox.directory);
	file = fopen(path, "we");
	fclose(file);
	sandbox_write(
	        &sandbox,
	        "{\"default-runtime\":\"plain\",\"runtimes\":{"
	        "\"plain\":{\"path\":\"/bin/true\"},"
	        "\"args\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"--a b\",\"'\\n\"]},"
	        "\"missing\":{\"path\":\"/nonexistent\",\"runtimeArgs\":[\"x\"]},"
	        "\"forbidden\":{\"path\":\"%s\",\"runtimeArgs\":[\"x\"]},"
	        "\"typed\":{\"runtimeType\":\"io.x.v1\",\"options\":{\"n\":1e3,\"BinaryName\":\"y\"}}}}",
	        path);
	sandbox.options.log = note;
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
	logged[0] = '\0';
}

static void teardown(void)
{
	rtreg_lock_in_fini(&first);
	rtreg_lock_in_fini(&again);
	rtreg_close(registry);
	registry = NULL;
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static void must(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, error.message);
}

static const char *state_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", sandbox.state, name);
	return path;
}

static int reload(const char *config)
{
	struct rtreg_source source = {.bytes = config, .size = strlen(config)};

	return rtreg_reload(registry, &source, 0, NULL, &error);
}

static size_t count(void)
{
	size_t ret = 99;

	ck_assert_int_eq(rtreg_lock_in_count(registry, &ret), 0);
	return ret;
}

/* --- what a container gets --- */

START_TEST(lock_in_without_a_runtime_gives_the_default)
{
	must(rtreg_lock_in(registry, NULL, "web", _i ? "" : NULL, &first, &error));
	ck_assert(first.created);
	ck_assert_str_eq(first.id, "web");
	ck_assert_str_eq(first.root, "");
	ck_assert_str_eq(first.runtime, "plain");
	ck_assert_str_eq(first.shim, "io.containerd.runc.v2");
	ck_assert_str_eq(first.binary, "/bin/true");
	ck_assert_ptr_null(first.wrapper);
	ck_assert_ptr_null(first.boot_id);
	ck_assert_ptr_nonnull(strstr(first.options_json, "\"BinaryName\":\"/bin/true\""));
	ck_assert_uint_eq(first.generation, 1);
	ck_assert_uint_eq(strlen(first.locked), strlen("2026-01-02T03:04:05.678901234Z"));
}
END_TEST

START_TEST(lock_in_at_a_pinned_snapshot_gives_what_that_one_says)
{
	const struct rtreg_snapshot *pinned = rtreg_pin(registry);

	must(reload("{\"default-runtime\":\"other\",\"runtimes\":{\"other\":{\"path\":\"/other\"}}}"));
	must(rtreg_lock_in_at(registry, pinned, NULL, "web", NULL, &first, &error));
	ck_assert_str_eq(first.runtime, "plain");
	ck_assert_uint_eq(first.generation, rtreg_snapshot_generation(pinned));
	/* Its wrapper script is there as well, though nothing that is live needs it. */
	must(rtreg_lock_in_at(registry, pinned, NULL, "db", "args", &again, &error));
	ck_assert_int_eq(access(again.wrapper, X_OK), 0);
	rtreg_unpin(pinned);
}
END_TEST

START_TEST(lock_in_again_gives_the_first_whatever_is_reloaded)
{
	must(rtreg_lock_in(registry, NULL, "web", NULL, &first, &error));
	must(reload("{\"default-runtime\":\"other\",\"runtimes\":{\"other\":{\"path\":\"/other\"}}}"));
	must(rtreg_lock_in(registry, NULL, "web", NULL, &again, &error));
	ck_assert(!again.created);
	ck_assert_str_eq(again.json, first.json);
	rtreg_lock_in_fini(&again);
	/* By its name too, although there is none of that name now. */
	must(rtreg_lock_in(registry, NULL, "web", "plain", &again, &error));
	ck_assert_str_eq(again.json, first.json);
	ck_assert_uint_eq(count(), 1);
	ck_assert_int_eq(error.code, 0);
}
END_TEST

START_TEST(lock_in_to_another_runtime_names_both)
{
	must(rtreg_lock_in(registry, NULL, "web", "plain", NULL, &error));
	ck_assert_int_eq(rtreg_lock_in(registry, NULL, "web", "args", &again, &error), -EEXIST);
	ck_assert_ptr_nonnull(strstr(error.message, "plain"));
	ck_assert_ptr_nonnull(strstr(error.message, "args"));
	ck_assert_ptr_null(again.memory);
	/* One that does not exist, too: what is locked in is the news. */
	ck_assert_int_eq(rtreg_lock_in(registry, NULL, "web", "nosuch", &again, &error), -EEXIST);
}
END_TEST

START_TEST(lock_in_with_arguments_keeps_the_script_first)
{
	char kept[512];
	struct stat st;

	must(rtreg_lock_in(registry, NULL, "web", "args", &first, &error));
	ck_assert_str_eq(first.binary, first.wrapper);
	ck_assert_int_eq(access(first.wrapper, X_OK), 0);
	snprintf(kept, sizeof(kept), "%s/lock-ins/scripts/%s", sandbox.state,
	         strrchr(first.wrapper, '.') + 1);
	ck_assert_int_eq(stat(kept, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_gt(st.st_size, 20);
}
END_TEST

START_TEST(lock_in_by_type_has_options_and_no_binary)
{
	must(rtreg_lock_in(registry, NULL, "web", "typed", &first, &error));
	ck_assert_str_eq(first.shim, "io.x.v1");
	ck_assert_str_eq(first.options_json, "{\"BinaryName\":\"y\",\"n\":1e3}");
	ck_assert_ptr_null(first.binary);
	rtreg_lock_in_fini(&first);
	must(rtreg_lock_in(registry, NULL, "db", "io.implicit.v1", &first, &error));
	ck_assert_str_eq(first.runtime, "io.implicit.v1");
	ck_assert_str_eq(first.shim, "io.implicit.v1");
	ck_assert_ptr_null(first.options_json);
}
END_TEST

START_TEST(lock_in_keeps_roots_apart)
{
	must(rtreg_lock_in(registry, "/run//x/", "web", "plain", &first, &error));
	ck_assert_str_eq(first.root, "/run/x");
	must(rtreg_lock_in(registry, NULL, "web", "typed", NULL, &error));
	must(rtreg_locked(registry, "/run/y/../x", "web", &again, &error));
	ck_assert_str_eq(again.json, first.json);
	must(rtreg_unlock(registry, "/run/x", "web", &error));
	ck_assert_int_eq(rtreg_locked(registry, "/run/x", "web", &again, NULL), -ESRCH);
	ck_assert_uint_eq(count(), 1);
}
END_TEST

/* --- failures --- */

static const struct {
	const char *root, *id, *runtime;
	int result;
	const char *message;
	int exit_code;
} failures[] = {
        {NULL, "web", "missing", -ENOENT, "error while looking up the specified runtime path", 127},
        {NULL, "web", "forbidden", -EACCES, "error while looking up the specified runtime path", 126},
        {NULL, "web", "nosuch", -EINVAL, "unknown or invalid runtime name: nosuch", 125},
        {NULL, "web", "a.\xff", -EINVAL, "UTF-8", 125},
        {NULL, "-web", NULL, -EINVAL, "container id", 125},
        {NULL, NULL, NULL, -EINVAL, "container id", 125},
        {"x", "web", NULL, -EINVAL, "root", 125},
};

START_TEST(lock_in_that_fails_writes_nothing)
{
	int r = rtreg_lock_in(registry, failures[_i].root, failures[_i].id, failures[_i].runtime, &first,
	                      &error);

	ck_assert_int_eq(r, failures[_i].result);
	ck_assert_int_eq(error.code, r);
	ck_assert_msg(strstr(error.message, failures[_i].message), "%s", error.message);
	ck_assert_int_eq(rtreg_exit_code(&error), failures[_i].exit_code);
	ck_assert_ptr_null(first.memory);
	ck_assert_int_lt(access(state_path("lock-ins"), F_OK), 0);
}
END_TEST

/* The state directory is gone, where nothing can be made; that is no missing runtime. */
START_TEST(lock_in_without_a_state_directory_is_not_a_missing_binary)
{
	char away[256];

	snprintf(away, sizeof(away), "rm -rf %s", sandbox.state);
	ck_assert_int_eq(system(away), 0);
	ck_assert_int_eq(rtreg_lock_in(registry, NULL, "web", NULL, &first, &error), -EIO);
	ck_assert_ptr_nonnull(strstr(error.message, sandbox.state));
	ck_assert_int_eq(rtreg_exit_code(&error), 125);
}
END_TEST

START_TEST(unlock_of_none_says_so)
{
	ck_assert_int_eq(rtreg_unlock(registry, NULL, "web", &error), -ESRCH);
	ck_assert_str_eq(error.message, "container web is not locked in");
	ck_assert_int_eq(rtreg_unlock(registry, "x", "web", &error), -EINVAL);
	ck_assert_int_eq(rtreg_unlock(registry, NULL, "", &error), -EINVAL);
	ck_assert_int_eq(rtreg_locked(registry, NULL, "web", &first, &error), -ESRCH);
}
END_TEST

START_TEST(unlock_if_takes_the_one_that_is_meant)
{
	must(rtreg_lock_in(registry, NULL, "web", NULL, &first, &error));
	ck_assert_int_eq(rtreg_unlock_if(registry, NULL, "web", "2026-01-01T00:00:00Z", &error), -ESTALE);
	ck_assert_uint_eq(count(), 1);
	must(rtreg_unlock_if(registry, NULL, "web", first.locked, &error));
	ck_assert_uint_eq(count(), 0);
	must(rtreg_lock_in(registry, NULL, "web", "typed", &again, &error));
	ck_assert(again.created);
	ck_assert_int_eq(rtreg_unlock_if(registry, NULL, "web", first.locked, &error), -ESTALE);
}
END_TEST

START_TEST(damaged_lock_in_is_told_and_can_be_unlocked)
{
	ck_assert_int_eq(mkdir(state_path("lock-ins"), 0700), 0);
	ck_assert_int_eq(mkdir(state_path("lock-ins/_"), 0700), 0);
	ck_assert_int_eq(symlink("/dev/zero", state_path("lock-ins/_/web")), 0);
	ck_assert_int_eq(rtreg_lock_in(registry, NULL, "web", NULL, &first, &error), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(error.message, "lock-ins/_/web"));
	must(rtreg_unlock(registry, NULL, "web", &error));
	must(rtreg_lock_in(registry, NULL, "web", NULL, &first, &error));
}
END_TEST

/* --- boots --- */

START_TEST(lock_in_for_another_boot_takes_the_place_of_a_void_one)
{
	must(rtreg_lock_in_for_boot(registry, NULL, "web", "plain", BOOT, &first, &error));
	ck_assert_str_eq(first.boot_id, BOOT);
	must(rtreg_lock_in_for_boot(registry, NULL, "web", NULL, BOOT, &again, &error));
	ck_assert(!again.created);
	ck_assert_str_eq(again.json, first.json);
	rtreg_lock_in_fini(&again);
	must(rtreg_lock_in_for_boot(registry, NULL, "web", "typed", BOOT2, &again, &error));
	ck_assert(again.created);
	ck_assert_str_eq(again.runtime, "typed");
	ck_assert_str_eq(again.boot_id, BOOT2);
	ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(lock_in_for_another_boot_than_ours_is_told_of)
{
	char ours[sizeof(BOOT)] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(read(fd, ours, sizeof(ours) - 1), sizeof(ours) - 1);
	close(fd);
	must(rtreg_lock_in_for_boot(registry, NULL, "web", "plain", ours, NULL, &error));
	ck_assert_str_eq(logged, "");
	must(rtreg_lock_in_for_boot(registry, NULL, "db", "plain", BOOT, NULL, &error));
	ck_assert_msg(strstr(logged, "db") && strstr(logged, BOOT) && strstr(logged, ours), "%s", logged);
}
END_TEST

START_TEST(lock_in_for_a_boot_honours_one_of_any_boot)
{
	must(rtreg_lock_in(registry, NULL, "web", "typed", &first, &error));
	must(rtreg_lock_in_for_boot(registry, NULL, "web", NULL, BOOT, &again, &error));
	ck_assert(!again.created);
	ck_assert_str_eq(again.json, first.json);
}
END_TEST

START_TEST(lock_in_for_what_is_no_boot_is_refused)
{
	ck_assert_int_eq(rtreg_lock_in_for_boot(registry, NULL, "web", NULL, NULL, &first, &error), -EINVAL);
	ck_assert_int_eq(rtreg_lock_in_for_boot(registry, NULL, "web", NULL, "x", &first, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "boot_id"));
}
END_TEST

/* --- lists --- */

START_TEST(lock_ins_are_in_order_of_root_and_id)
{
	static const char *const roots[] = {NULL, "/b", "/a", "/a", NULL};
	static const char *const ids[] = {"z", "m", "y", "x", "Z"};
	struct rtreg_lock_in *all;
	size_t found;
	char order[64] = "";

	for (int i = 0; i < 5; i++)
		must(rtreg_lock_in(registry, roots[i], ids[i], NULL, NULL, &error));
	must(rtreg_lock_ins(registry, NULL, &all, &found, &error));
	for (size_t i = 0; i < found; i++)
		sprintf(order + strlen(order), "%s:%s ", all[i].root, all[i].id);
	ck_assert_str_eq(order, ":Z :z /a:x /a:y /b:m ");
	rtreg_lock_ins_free(all, found);
	must(rtreg_lock_ins(registry, "", &all, &found, &error));
	ck_assert_uint_eq(found, 2);
	rtreg_lock_ins_free(all, found);
	must(rtreg_lock_ins(registry, "/a/", &all, &found, &error));
	ck_assert_uint_eq(found, 2);
	ck_assert_str_eq(all[0].root, "/a");
	rtreg_lock_ins_free(all, found);
	ck_assert_int_eq(rtreg_lock_ins(registry, "a", &all, &found, &error), -EINVAL);
	ck_assert_uint_eq(count(), 5);
}
END_TEST

START_TEST(lock_ins_leave_out_what_is_none_and_log_it)
{
	struct rtreg_lock_in *all;
	size_t found = 9;

	must(rtreg_lock_ins(registry, NULL, &all, &found, &error));
	ck_assert_uint_eq(found, 0);
	rtreg_lock_ins_free(all, found);
	must(rtreg_lock_in(registry, NULL, "web", NULL, NULL, &error));
	ck_assert_int_eq(symlink("web", state_path("lock-ins/_/db")), 0);
	must(rtreg_lock_ins(registry, NULL, &all, &found, &error));
	ck_assert_uint_eq(found, 1);
	ck_assert_ptr_nonnull(strstr(logged, "lock-ins/_/db is not a lock-in"));
	rtreg_lock_ins_free(all, found);
}
END_TEST

START_TEST(lock_ins_are_counted)
{
	struct rtreg_statistics statistics;

	must(rtreg_lock_in(registry, NULL, "web", NULL, NULL, &error));
	must(rtreg_lock_in(registry, NULL, "web", NULL, NULL, &error));
	must(rtreg_lock_in(registry, NULL, "db", NULL, NULL, &error));
	must(rtreg_unlock(registry, NULL, "web", &error));
	ck_assert_int_eq(rtreg_unlock(registry, NULL, "web", NULL), -ESRCH);
	rtreg_statistics(registry, &statistics, sizeof(statistics));
	ck_assert_uint_eq(statistics.lock_ins_made, 2);
	ck_assert_uint_eq(statistics.lock_ins_removed, 1);
}
END_TEST

/* --- who may ask from where --- */

static int all_functions(int wanted)
{
	struct rtreg_lock_in *all;
	size_t found = 0;
	int wrong = 0;

	wrong += rtreg_lock_in(registry, NULL, "web", NULL, NULL, NULL) != wanted;
	wrong += rtreg_lock_in_for_boot(registry, NULL, "web", NULL, BOOT, NULL, NULL) != wanted;
	wrong += rtreg_locked(registry, NULL, "web", &again, NULL) != wanted;
	rtreg_lock_in_fini(&again);
	wrong += rtreg_lock_in_count(registry, &found) != wanted;
	if (rtreg_lock_ins(registry, NULL, &all, &found, NULL) == 0) {
		rtreg_lock_ins_free(all, found);
		wrong += wanted != 0;
	}
	wrong += rtreg_unlock(registry, NULL, "web", NULL) != wanted;
	return wrong;
}

static int step_result = -1, callback_result = -1;

static int ask_in_callback(void *context, struct rtreg_error *ret_error)
{
	(void)context;
	(void)ret_error;
	callback_result = all_functions(-EDEADLK);
	return 0;
}

static int ask_in_step(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)context;
	(void)ret_error;
	step_result = all_functions(-EDEADLK);
	rtreg_txn_on_commit(txn, ask_in_callback, NULL);
	return 0;
}

START_TEST(lock_in_from_a_step_or_callback_is_refused)
{
	must(rtreg_add_step(registry, "ask", ask_in_step, NULL));
	must(reload("{\"debug\":true}"));
	ck_assert_int_eq(step_result, 0);
	ck_assert_int_eq(callback_result, 0);
	ck_assert_int_lt(access(state_path("lock-ins"), F_OK), 0);
}
END_TEST

START_TEST(lock_in_inside_a_reader_section_is_refused_or_leaves_it)
{
	rcu_register_thread();
	reader_begin();
#ifdef FLAVOR_QSBR
	ck_assert_int_eq(all_functions(0), 0);
	ck_assert(rcu_read_ongoing());
#else
	ck_assert_int_eq(all_functions(-EDEADLK), 0);
#endif
	reader_end(registry);
	ck_assert_int_eq(all_functions(0), 0);
	rcu_unregister_thread();
}
END_TEST

static void *ask_on_thread(void *argument)
{
	*(int *)argument = all_functions(0);
	return NULL;
}

START_TEST(lock_in_from_a_thread_that_is_not_registered_works)
{
	pthread_t thread;
	int wrong = -1;

	ck_assert_int_eq(pthread_create(&thread, NULL, ask_on_thread, &wrong), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(wrong, 0);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *make_case(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	return tcase;
}

static TCase *make_lock_in_case(void)
{
	TCase *tcase = make_case("lock in");

	tcase_add_loop_test(tcase, lock_in_without_a_runtime_gives_the_default, 0, 2);
	tcase_add_test(tcase, lock_in_at_a_pinned_snapshot_gives_what_that_one_says);
	tcase_add_test(tcase, lock_in_again_gives_the_first_whatever_is_reloaded);
	tcase_add_test(tcase, lock_in_to_another_runtime_names_both);
	tcase_add_test(tcase, lock_in_with_arguments_keeps_the_script_first);
	tcase_add_test(tcase, lock_in_by_type_has_options_and_no_binary);
	tcase_add_test(tcase, lock_in_keeps_roots_apart);
	tcase_add_loop_test(tcase, lock_in_that_fails_writes_nothing, 0, COUNT(failures));
	tcase_add_test(tcase, lock_in_without_a_state_directory_is_not_a_missing_binary);
	tcase_add_test(tcase, lock_in_for_another_boot_takes_the_place_of_a_void_one);
	tcase_add_test(tcase, lock_in_for_another_boot_than_ours_is_told_of);
	tcase_add_test(tcase, lock_in_for_a_boot_honours_one_of_any_boot);
	tcase_add_test(tcase, lock_in_for_what_is_no_boot_is_refused);
	return tcase;
}

static TCase *make_other_case(void)
{
	TCase *tcase = make_case("unlock, list, threads");

	tcase_add_test(tcase, unlock_of_none_says_so);
	tcase_add_test(tcase, unlock_if_takes_the_one_that_is_meant);
	tcase_add_test(tcase, damaged_lock_in_is_told_and_can_be_unlocked);
	tcase_add_test(tcase, lock_ins_are_in_order_of_root_and_id);
	tcase_add_test(tcase, lock_ins_leave_out_what_is_none_and_log_it);
	tcase_add_test(tcase, lock_ins_are_counted);
	tcase_add_test(tcase, lock_in_from_a_step_or_callback_is_refused);
	tcase_add_test(tcase, lock_in_inside_a_reader_section_is_refused_or_leaves_it);
	tcase_add_test(tcase, lock_in_from_a_thread_that_is_not_registered_works);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lock_in");

	suite_add_tcase(suite, make_lock_in_case());
	suite_add_tcase(suite, make_other_case());
	return unit_run(suite);
}
