/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry through its public face, in one liburcu flavour: who may call what where
 * (docs/concurrency.md), what a reload does to readers, steps and keys. Each test opens a registry of its
 * own, in the process that check forks for it.
 */
#include "flavor.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
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

static void open_registry(const char *config)
{
	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "%s", config);
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

static void teardown(void)
{
	rtreg_close(registry);
	registry = NULL;
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static int reload(const char *config)
{
	struct rtreg_source source = {.bytes = config, .size = strlen(config)};

	return rtreg_reload(registry, &source, 0, NULL, &error);
}

static uint64_t generation(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t ret = rtreg_snapshot_generation(snapshot);

	rtreg_unpin(snapshot);
	return ret;
}

/* Runs `fn` on a thread of its own and waits for it. */
static void on_thread(void *(*fn)(void *), void *argument)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, fn, argument), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* --- readers --- */

START_TEST(borrow_in_section_sees_the_live_snapshot)
{
	struct rtreg_runtime runtime;

	open_registry("{\"runtimes\":{\"crun\":{\"path\":\"/opt/crun\"}},\"default-runtime\":\"crun\"}");
	rcu_register_thread();
	reader_begin();
	ck_assert_uint_eq(rtreg_snapshot_generation(rtreg_borrow(registry)), 1);
	ck_assert_int_eq(rtreg_resolve(rtreg_borrow(registry), NULL, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.name, "crun");
	ck_assert_str_eq(runtime.binary, "/opt/crun");
	reader_end(registry);
	rcu_unregister_thread();
}
END_TEST

static void *reload_on_thread(void *argument)
{
	*(int *)argument = reload("{\"debug\":true}");
	return NULL;
}

/* The reload returns while the section goes on, and what was borrowed stays whole. */
START_TEST(resolve_name_needs_no_update_when_a_generation_comes)
{
	struct rtreg_runtime runtime;
	struct rtreg_name crun, youki, none;

	rtreg_name_init(&crun, "crun");
	rtreg_name_init(&youki, "youki");
	rtreg_name_init(&none, NULL);
	open_registry("{\"runtimes\":{\"crun\":{\"path\":\"/opt/crun\"}},\"default-runtime\":\"crun\"}");
	rcu_register_thread();
	reader_begin();
	ck_assert_int_eq(rtreg_resolve_name(rtreg_borrow(registry), &crun, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.binary, "/opt/crun");
	ck_assert_int_eq(rtreg_resolve_name(rtreg_borrow(registry), &youki, &runtime, NULL), -EINVAL);
	reader_end(registry);
	ck_assert_int_eq(reload("{\"runtimes\":{\"crun\":{\"path\":\"/usr/bin/crun\"},"
	                        "\"youki\":{\"path\":\"/opt/youki\"}},\"default-runtime\":\"youki\"}"),
	                 0);
	reader_begin();
	ck_assert_int_eq(rtreg_resolve_name(rtreg_borrow(registry), &crun, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.binary, "/usr/bin/crun");
	ck_assert_int_eq(rtreg_resolve_name(rtreg_borrow(registry), &youki, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.binary, "/opt/youki");
	ck_assert_int_eq(rtreg_resolve_name(rtreg_borrow(registry), &none, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.name, "youki");
	reader_end(registry);
	rcu_unregister_thread();
}
END_TEST

START_TEST(resolve_live_answers_from_the_live_snapshot)
{
	struct rtreg_runtime runtime;

	open_registry("{\"runtimes\":{\"crun\":{\"path\":\"/opt/crun\"}},\"default-runtime\":\"crun\"}");
	rcu_register_thread();
	reader_begin();
	ck_assert_int_eq(rtreg_resolve_live(registry, "crun", &runtime, &error), 0);
	ck_assert_str_eq(runtime.binary, "/opt/crun");
	ck_assert_int_eq(rtreg_resolve_live(registry, NULL, &runtime, &error), 0);
	ck_assert_str_eq(runtime.name, "crun");
	ck_assert_int_eq(rtreg_resolve_live_len(registry, "crunched", 4, &runtime, &error), 0);
	ck_assert_str_eq(runtime.name, "crun");
	ck_assert_int_eq(rtreg_resolve_live_len(registry, "crunched", 8, &runtime, &error), -EINVAL);
	ck_assert_str_eq(error.message, "unknown or invalid runtime name: crunched");
	reader_end(registry);
	ck_assert_int_eq(reload("{\"runtimes\":{\"crun\":{\"path\":\"/usr/bin/crun\"}}}"), 0);
	reader_begin();
	ck_assert_int_eq(rtreg_resolve_live(registry, "crun", &runtime, NULL), 0);
	ck_assert_str_eq(runtime.binary, "/usr/bin/crun");
	reader_end(registry);
	rcu_unregister_thread();
}
END_TEST

START_TEST(reload_while_a_reader_is_in_its_section_waits_for_nobody)
{
	const struct rtreg_snapshot *before, *after;
	int r = -1;

	open_registry("{\"debug\":false}");
	rcu_register_thread();
	reader_begin();
	before = rtreg_borrow(registry);
	on_thread(reload_on_thread, &r);
	ck_assert_int_eq(r, 0);
	after = rtreg_borrow(registry);
	ck_assert_ptr_ne(before, after);
	ck_assert(!rtreg_snapshot_debug(before));
	ck_assert(rtreg_snapshot_debug(after));
	reader_end(registry);
	rcu_unregister_thread();
}
END_TEST

#ifdef FLAVOR_QSBR
START_TEST(reload_from_an_online_thread_is_a_quiescent_state)
{
	open_registry("{}");
	rcu_register_thread();
	ck_assert(rcu_read_ongoing());
	ck_assert_int_eq(reload("{\"debug\":true}"), 0);
	ck_assert(rcu_read_ongoing());
	ck_assert(rtreg_snapshot_debug(rtreg_borrow(registry)));
	rcu_unregister_thread();
}
END_TEST
#else
START_TEST(may_block_in_section_is_edeadlk)
{
	struct rtreg_runtime runtime = {.path = "sh", .wrapper = "/wrapper"};
	struct rtreg *second = NULL;

	open_registry("{}");
	rcu_register_thread();
	reader_begin();
	ck_assert_int_eq(reload("{\"debug\":true}"), -EDEADLK);
	ck_assert_int_eq(rtreg_open(&sandbox.options, &second, NULL), -EDEADLK);
	ck_assert_int_eq(rtreg_add_step(registry, "s", NULL, NULL), -EDEADLK);
	ck_assert_int_eq(rtreg_add_key(registry, "k", RTREG_TYPE_BOOL), -EDEADLK);
	ck_assert_int_eq(rtreg_runtime_check(&runtime, NULL), -EDEADLK);
	ck_assert_uint_eq(rtreg_snapshot_generation(rtreg_borrow(registry)), 1);
	reader_end(registry);
	rcu_unregister_thread();
	ck_assert_int_eq(rtreg_runtime_check(&runtime, NULL), 0);
}
END_TEST

START_TEST(close_in_section_aborts)
{
	open_registry("{}");
	rcu_register_thread();
	reader_begin();
	sandbox_fini(&sandbox); /* nobody does it after the abort */
	rtreg_close(registry);
}
END_TEST
#endif

START_TEST(reload_from_an_unregistered_thread_works)
{
	int r = -1;

	open_registry("{}");
	on_thread(reload_on_thread, &r);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(generation(), 2);
}
END_TEST

/* --- pins --- */

static void *pin_on_thread(void *argument)
{
	*(const struct rtreg_snapshot **)argument = rtreg_pin(registry);
	return NULL;
}

static void *unpin_on_thread(void *argument)
{
	rtreg_unpin(argument);
	return NULL;
}

START_TEST(pin_survives_many_reloads_and_is_returned_by_another_thread)
{
	const struct rtreg_snapshot *pinned = NULL;
	struct rtreg_pinned listed[4];
	char config[64];

	open_registry("{\"labels\":[\"n=first\"]}");
	on_thread(pin_on_thread, &pinned);
	ck_assert_uint_eq(rtreg_pinned(registry, listed, 4), 0);
	for (int i = 0; i < 200; i++) {
		snprintf(config, sizeof(config), "{\"labels\":[\"n=%d\"]}", i);
		ck_assert_msg(reload(config) == 0, "%s", error.message);
	}
	ck_assert_str_eq(rtreg_snapshot_label(pinned, 0), "n=first");
	ck_assert_uint_eq(rtreg_pinned(registry, listed, 4), 1);
	ck_assert_uint_eq(listed[0].generation, 1);
	ck_assert_uint_eq(listed[0].count, 1);
	on_thread(unpin_on_thread, (void *)pinned);
	ck_assert_uint_eq(rtreg_pinned(registry, listed, 4), 0);
}
END_TEST

START_TEST(pin_inside_a_section_works)
{
	const struct rtreg_snapshot *pinned;

	open_registry("{}");
	rcu_register_thread();
	reader_begin();
	pinned = rtreg_pin(registry);
	ck_assert_ptr_eq(pinned, rtreg_borrow(registry));
	rtreg_unpin(pinned);
	reader_end(registry);
	rcu_unregister_thread();
}
END_TEST

START_TEST(snapshot_runtime_arg_gives_the_configured_ones_and_then_null)
{
	const struct rtreg_snapshot *pinned;
	struct rtreg_runtime runtime;

	open_registry("{\"runtimes\":{\"a\":{\"path\":\"/"
	              "a\",\"RuntimeArgs\":[\"-x\",\"\"]},\"b\":{\"path\":\"/b\"}}}");
	pinned = rtreg_pin(registry);
	ck_assert_int_eq(rtreg_snapshot_runtime(pinned, 0, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.name, "a");
	ck_assert_str_eq(rtreg_snapshot_runtime_arg(pinned, 0, 0), "-x");
	ck_assert_str_eq(rtreg_snapshot_runtime_arg(pinned, 0, 1), "");
	ck_assert_ptr_null(rtreg_snapshot_runtime_arg(pinned, 0, 2));
	for (size_t i = 1; i <= rtreg_snapshot_runtime_count(pinned); i++)
		ck_assert_ptr_null(rtreg_snapshot_runtime_arg(pinned, i, 0));
	rtreg_unpin(pinned);
}
END_TEST

/* --- a reader that does not end its section --- */

struct blocker {
	pthread_barrier_t inside, leave;
};

static void *stay_in_section(void *argument)
{
	struct blocker *blocker = argument;

	rcu_register_thread();
	reader_begin();
	pthread_barrier_wait(&blocker->inside);
	pthread_barrier_wait(&blocker->leave);
	reader_end(registry);
	rcu_unregister_thread();
	return NULL;
}

START_TEST(reload_behind_a_stuck_reader_is_ebusy_and_changes_nothing)
{
	struct blocker blocker;
	uint64_t before;
	pthread_t thread;
	char config[64];
	int r = 0;

	open_registry("{}");
	pthread_barrier_init(&blocker.inside, NULL, 2);
	pthread_barrier_init(&blocker.leave, NULL, 2);
	pthread_create(&thread, NULL, stay_in_section, &blocker);
	pthread_barrier_wait(&blocker.inside);
	for (int i = 0; r == 0 && i < 100; i++) {
		before = generation();
		snprintf(config, sizeof(config), "{\"labels\":[\"n=%d\"]}", i);
		r = reload(config);
	}
	ck_assert_int_eq(r, -EBUSY);
	ck_assert_ptr_nonnull(strstr(error.message, "readers do not end their sections"));
	ck_assert_uint_eq(before, 66); /* the first, and 65 reloads that found room */
	ck_assert_uint_eq(generation(), before);
	pthread_barrier_wait(&blocker.leave);
	pthread_join(thread, NULL);
	ck_assert_int_eq(reload("{\"labels\":[\"n=free\"]}"), 0);
}
END_TEST

/* --- steps and keys --- */

static char trace[64];
static int step_result, reload_in_step, add_in_step;
static uint64_t step_old, step_new;

static int note_commit(void *context, struct rtreg_error *ret_error)
{
	(void)ret_error;
	strcat(trace, context);
	return 0;
}

static int note_rollback(void *context, struct rtreg_error *ret_error)
{
	(void)ret_error;
	strcat(trace, "-");
	strcat(trace, context);
	return 0;
}

static int step(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)ret_error;
	step_old = rtreg_txn_old(txn) ? rtreg_snapshot_generation(rtreg_txn_old(txn)) : 0;
	step_new = rtreg_snapshot_generation(rtreg_txn_new(txn));
	rtreg_txn_on_commit(txn, note_commit, context);
	rtreg_txn_on_rollback(txn, note_rollback, context);
	return 0;
}

static int failing_step(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)txn;
	(void)context;
	snprintf(ret_error->message, sizeof(ret_error->message), "the engine says no");
	return step_result;
}

static int reentrant_step(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)txn;
	(void)context;
	(void)ret_error;
	reload_in_step = reload("{}");
	add_in_step = rtreg_add_step(registry, "inner", step, NULL);
	return 0;
}

START_TEST(reload_runs_added_steps_in_order_and_commits)
{
	open_registry("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "one", step, "1"), 0);
	ck_assert_int_eq(rtreg_add_step(registry, "two", step, "2"), 0);
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(reload("{\"debug\":true}"), 0);
	ck_assert_str_eq(trace, "12");
	ck_assert_uint_eq(step_old, 1);
	ck_assert_uint_eq(step_new, 2);
}
END_TEST

START_TEST(reload_failing_step_rolls_back_in_reverse_and_publishes_nothing)
{
	static const char config[] =
	        "{\"debug\":true,\"runtimes\":{\"w\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"-x\"]}}}";
	const struct rtreg_snapshot *snapshot;
	char directory[160];
	int scripts = 0;
	DIR *dir;

	open_registry("{}");
	rtreg_add_step(registry, "one", step, "1");
	rtreg_add_step(registry, "two", step, "2");
	rtreg_add_step(registry, "three", failing_step, NULL);
	step_result = -EXDEV;
	ck_assert_int_eq(reload(config), -EXDEV);
	ck_assert_str_eq(error.message, "the engine says no");
	ck_assert_str_eq(error.where, "three");
	ck_assert_str_eq(trace, "-2-1");
	snapshot = rtreg_pin(registry);
	ck_assert_uint_eq(rtreg_snapshot_generation(snapshot), 1);
	ck_assert(!rtreg_snapshot_debug(snapshot));
	rtreg_unpin(snapshot);
	snprintf(directory, sizeof(directory), "%s/runtimes", sandbox.state);
	dir = opendir(directory);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		scripts += entry->d_name[0] != '.';
	closedir(dir);
	ck_assert_int_eq(scripts, 0); /* the script that was written is gone again */
	step_result = 0;
	ck_assert_int_eq(reload(config), 0);
	ck_assert_uint_eq(generation(), 2); /* a failed reload wastes no number */
}
END_TEST

START_TEST(reload_from_a_step_is_edeadlk)
{
	open_registry("{}");
	rtreg_add_step(registry, "reentrant", reentrant_step, NULL);
	ck_assert_int_eq(reload("{\"debug\":true}"), 0);
	ck_assert_int_eq(reload_in_step, -EDEADLK);
	ck_assert_int_eq(add_in_step, -EDEADLK);
}
END_TEST

START_TEST(open_runs_the_steps_of_the_options)
{
	struct rtreg_step steps[] = {{"a", step, "a"}, {"b", step, "b"}};

	sandbox_init(&sandbox);
	sandbox.options.steps = steps;
	sandbox.options.step_count = 2;
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &error), 0);
	ck_assert_str_eq(trace, "ab");
	ck_assert_uint_eq(step_old, 0);
	ck_assert_uint_eq(step_new, 1);
}
END_TEST

START_TEST(add_key_makes_the_engines_key_known)
{
	const struct rtreg_snapshot *snapshot;
	struct rtreg_value value;

	open_registry("{}");
	ck_assert_int_eq(reload("{\"x-pool\":[\"a\"]}"), -EINVAL);
	ck_assert_int_eq(rtreg_add_key(registry, "x-pool", RTREG_TYPE_STRINGS), 0);
	ck_assert_int_eq(rtreg_add_key(registry, "x-pool", RTREG_TYPE_STRINGS), -EEXIST);
	ck_assert_int_eq(rtreg_add_key(registry, "debug", RTREG_TYPE_BOOL), -EEXIST);
	ck_assert_int_eq(rtreg_add_key(registry, "", RTREG_TYPE_BOOL), -EINVAL);
	ck_assert_int_eq(reload("{\"x-pool\":[\"a\",\"b\"]}"), 0);
	snapshot = rtreg_pin(registry);
	value = rtreg_snapshot_value(snapshot, "x-pool");
	ck_assert_int_eq(value.type, RTREG_TYPE_STRINGS);
	ck_assert_str_eq(rtreg_value_string(&value, 1), "b");
	ck_assert_ptr_null(rtreg_value_string(&value, 2));
	ck_assert_int_eq(rtreg_snapshot_value(snapshot, "no-such-key").type, 0);
	rtreg_unpin(snapshot);
	ck_assert_int_eq(reload("{\"x-pool\":5}"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot unmarshal number 5 into x-pool"));
}
END_TEST

/* --- reload --- */

START_TEST(reload_if_wrong_generation_is_estale)
{
	struct rtreg_source source = {.bytes = "{\"debug\":true}", .size = 14};

	open_registry("{}");
	ck_assert_int_eq(rtreg_reload_if(registry, &source, 0, 7, NULL, &error), -ESTALE);
	ck_assert_uint_eq(generation(), 1);
	ck_assert_int_eq(rtreg_reload_if(registry, &source, 0, 1, NULL, &error), 0);
	ck_assert_uint_eq(generation(), 2);
}
END_TEST

START_TEST(reload_without_report_and_error_works)
{
	open_registry("{}");
	sandbox_write(&sandbox, "{\"nonsense\":1}");
	ck_assert_int_eq(rtreg_reload(registry, NULL, 0, NULL, NULL), -EINVAL);
	sandbox_write(&sandbox, "{\"debug\":true}");
	ck_assert_int_eq(rtreg_reload(registry, NULL, 0, NULL, NULL), 0);
	ck_assert_uint_eq(generation(), 2);
}
END_TEST

START_TEST(reload_unchanged_publishes_only_if_forced)
{
	struct rtreg_report *report = NULL;

	open_registry("{\"debug\":true}");
	ck_assert_int_eq(rtreg_reload(registry, NULL, 0, &report, &error), 0);
	ck_assert(rtreg_report_unchanged(report));
	ck_assert_uint_eq(rtreg_report_generation(report), 1);
	rtreg_report_free(report);
	ck_assert_int_eq(rtreg_reload(registry, NULL, RTREG_RELOAD_FORCE, &report, &error), 0);
	ck_assert(!rtreg_report_unchanged(report));
	ck_assert_uint_eq(rtreg_report_generation(report), 2);
	ck_assert_uint_eq(rtreg_report_previous(report), 1);
	rtreg_report_free(report);
}
END_TEST

START_TEST(generations_go_on_after_an_orderly_close)
{
	open_registry("{}");
	ck_assert_int_eq(reload("{\"debug\":true}"), 0);
	rtreg_close(registry);
	registry = NULL;
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &error), 0);
	ck_assert_uint_eq(generation(), 3);
}
END_TEST

START_TEST(open_second_on_one_state_dir_is_ebusy)
{
	struct rtreg *second = NULL;

	open_registry("{}");
	ck_assert_int_eq(rtreg_open(&sandbox.options, &second, &error), -EBUSY);
	ck_assert_ptr_nonnull(strstr(error.message, "is in use by process"));
	ck_assert_ptr_null(second);
}
END_TEST

/*
 * The wrapper's path is handed to others, and the configuration is read again wherever the engine is by then.
 */
START_TEST(open_relative_paths_become_absolute)
{
	struct rtreg_runtime runtime = {0};
	const struct rtreg_snapshot *snapshot;

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{\"runtimes\":{\"w\":{\"path\":\"/bin/true\",\"runtimeArgs\":[\"-x\"]}}}");
	ck_assert_int_eq(chdir(sandbox.directory), 0);
	sandbox.options.config_file = "daemon.json";
	sandbox.options.state_dir = "state";
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
	snapshot = rtreg_pin(registry);
	ck_assert_int_eq(rtreg_resolve(snapshot, "w", &runtime, NULL), 0);
	ck_assert_int_eq(strncmp(runtime.wrapper, sandbox.state, strlen(sandbox.state)), 0);
	rtreg_unpin(snapshot);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rtreg_reload(registry, NULL, 0, NULL, &error), 0);
}
END_TEST

/* --- the library's thread --- */

/* Finds the reclaimer among this process's threads, and what signals it blocks. */
static bool reclaimer_blocks(unsigned long long *ret_mask)
{
	DIR *dir = opendir("/proc/self/task");
	bool found = false;

	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[300], line[256] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file)) {
			if (strncmp(line, "Name:\trtreg-reclaim\n", 20) == 0)
				found = true;
			else if (strncmp(line, "Name:", 5) == 0)
				break;
			else if (strncmp(line, "SigBlk:", 7) == 0)
				*ret_mask = strtoull(line + 7, NULL, 16);
		}
		if (file)
			fclose(file);
	}
	closedir(dir);
	return found;
}

START_TEST(reclaimer_is_named_and_blocks_all_signals)
{
	unsigned long long mask = 0;

	open_registry("{}");
	ck_assert(reclaimer_blocks(&mask));
	for (int number = 1; number < 32; number++)
		if (number != SIGKILL && number != SIGSTOP)
			ck_assert_msg(mask & 1ull << (number - 1), "signal %d is not blocked", number);
}
END_TEST

/* --- statistics --- */

static struct rtreg_statistics statistics(void)
{
	struct rtreg_statistics ret;

	rtreg_statistics(registry, &ret, sizeof(ret));
	return ret;
}

static uint64_t times_done(const char *name, bool built_in)
{
	struct rtreg_timing timings[32];
	size_t count = rtreg_timings(registry, timings, 32);

	for (size_t i = 0; i < count && i < 32; i++)
		if (strcmp(timings[i].name, name) == 0 && timings[i].built_in == built_in)
			return timings[i].count;
	return 0;
}

static int do_nothing(struct rtreg_txn *txn, void *context, struct rtreg_error *step_error)
{
	(void)txn;
	(void)context;
	(void)step_error;
	return 0;
}

START_TEST(statistics_count_probes_and_scripts)
{
	const char *config = "{\"runtimes\":{\"crun\":{\"path\":\"/no/crun\",\"runtimeArgs\":[\"-x\"]}}}";
	struct rtreg_statistics opened, reloaded;

	open_registry("{}");
	opened = statistics();
	ck_assert_uint_eq(opened.scripts_written, 0);
	ck_assert_int_eq(reload(config), 0);
	reloaded = statistics();
	ck_assert_uint_eq(reloaded.scripts_written, 1);
	ck_assert_uint_eq(reloaded.probes_failed, opened.probes_failed + 1);
	ck_assert_int_eq(reload(config), 0);
	ck_assert_uint_eq(statistics().scripts_written, 1);
	ck_assert_uint_eq(statistics().probes_failed, reloaded.probes_failed);
	ck_assert_uint_gt(statistics().probes_remembered, reloaded.probes_remembered);
}
END_TEST

START_TEST(statistics_tell_pins_of_superseded_snapshots)
{
	const struct rtreg_snapshot *pin;

	open_registry("{}");
	pin = rtreg_pin(registry);
	ck_assert_uint_eq(statistics().pins, 0);
	ck_assert_int_eq(reload("{\"debug\":true}"), 0);
	ck_assert_uint_eq(statistics().pins, 1);
	ck_assert_uint_eq(statistics().pinned, 1);
	rtreg_unpin(pin);
	ck_assert_uint_eq(statistics().pins, 0);
}
END_TEST

/* One that was compiled against an older or a newer header. */
START_TEST(statistics_fills_as_much_as_the_caller_has_room_for)
{
	struct {
		struct rtreg_statistics known;
		uint64_t later;
	} large;
	struct rtreg_statistics small;

	open_registry("{}");
	memset(&small, 0xff, sizeof(small));
	rtreg_statistics(registry, &small, offsetof(struct rtreg_statistics, freed));
	ck_assert_uint_eq(small.grace_periods.count, 0);
	ck_assert_uint_eq(small.freed, UINT64_MAX);
	memset(&large, 0xff, sizeof(large));
	rtreg_statistics(registry, &large.known, sizeof(large));
	ck_assert_uint_eq(large.known.freed, 0);
	ck_assert_uint_eq(large.later, 0);
}
END_TEST

START_TEST(timings_count_built_in_steps_and_the_engines)
{
	open_registry("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "own", do_nothing, NULL), 0);
	ck_assert_uint_eq(times_done("publish", true), 1);
	ck_assert_uint_eq(times_done("own", false), 0);
	ck_assert_int_eq(reload("{\"debug\":true}"), 0);
	ck_assert_int_eq(reload("{\"mtu\":-1}"), -EINVAL); /* refused by the check */
	ck_assert_uint_eq(times_done("check", true), 3);
	ck_assert_uint_eq(times_done("publish", true), 2);
	ck_assert_uint_eq(times_done("own", false), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry-" FLAVOR_NAME);
	TCase *tcase = tcase_create("registry");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, borrow_in_section_sees_the_live_snapshot);
	tcase_add_test(tcase, resolve_name_needs_no_update_when_a_generation_comes);
	tcase_add_test(tcase, resolve_live_answers_from_the_live_snapshot);
	tcase_add_test(tcase, reload_while_a_reader_is_in_its_section_waits_for_nobody);
#ifdef FLAVOR_QSBR
	tcase_add_test(tcase, reload_from_an_online_thread_is_a_quiescent_state);
#else
	tcase_add_test(tcase, may_block_in_section_is_edeadlk);
	tcase_add_test_raise_signal(tcase, close_in_section_aborts, SIGABRT);
#endif
	tcase_add_test(tcase, reload_from_an_unregistered_thread_works);
	tcase_add_test(tcase, pin_survives_many_reloads_and_is_returned_by_another_thread);
	tcase_add_test(tcase, pin_inside_a_section_works);
	tcase_add_test(tcase, snapshot_runtime_arg_gives_the_configured_ones_and_then_null);
	tcase_add_test(tcase, reload_behind_a_stuck_reader_is_ebusy_and_changes_nothing);
	tcase_add_test(tcase, reload_runs_added_steps_in_order_and_commits);
	tcase_add_test(tcase, reload_failing_step_rolls_back_in_reverse_and_publishes_nothing);
	tcase_add_test(tcase, reload_from_a_step_is_edeadlk);
	tcase_add_test(tcase, open_runs_the_steps_of_the_options);
	tcase_add_test(tcase, add_key_makes_the_engines_key_known);
	tcase_add_test(tcase, reload_if_wrong_generation_is_estale);
	tcase_add_test(tcase, reload_without_report_and_error_works);
	tcase_add_test(tcase, reload_unchanged_publishes_only_if_forced);
	tcase_add_test(tcase, generations_go_on_after_an_orderly_close);
	tcase_add_test(tcase, open_second_on_one_state_dir_is_ebusy);
	tcase_add_test(tcase, open_relative_paths_become_absolute);
	tcase_add_test(tcase, reclaimer_is_named_and_blocks_all_signals);
	tcase_add_test(tcase, statistics_count_probes_and_scripts);
	tcase_add_test(tcase, statistics_tell_pins_of_superseded_snapshots);
	tcase_add_test(tcase, statistics_fills_as_much_as_the_caller_has_room_for);
	tcase_add_test(tcase, timings_count_built_in_steps_and_the_engines);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
