/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What goes on beside a reload and must not harm it, or be harmed by it: reloads that fail, dry runs, other
 * reloads that wait for the writer's lock, children that were forked.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;

static void setup(void)
{
	sandbox_init(&sandbox);
}

static void teardown(void)
{
	rtreg_close(registry);
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static void open_registry(void)
{
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

/* A runtime DIR/NAME; it leaves DIR/NAME.asked behind. */
static void make_executable(const char *name, const char *commands)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", sandbox.directory, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\n: >\"$0.asked\"\n%s\n", commands);
	fclose(file);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

/* Whose features are {"of":NAME}. */
static void make_runtime(const char *name)
{
	char commands[64];

	snprintf(commands, sizeof(commands), "echo '{\"of\":\"%s\"}'", name);
	make_executable(name, commands);
}

static void make_failing_runtime(const char *name)
{
	make_executable(name, "exit 3");
}

static void wait_until_asked(const char *name)
{
	char path[128];
	int tries = 0;

	snprintf(path, sizeof(path), "%s/%s.asked", sandbox.directory, name);
	for (; access(path, F_OK) < 0 && tries < 3000; tries++)
		usleep(10000);
	ck_assert_int_lt(tries, 3000);
}

/* Configuration with one runtime, DIR/NAME. */
static int reload(const char *name, unsigned flags, struct rtreg_report **ret)
{
	char text[256];
	struct rtreg_source source = {.bytes = text};

	source.size = (size_t)snprintf(text, sizeof(text), "{\"runtimes\":{\"%s\":{\"path\":\"%s/%s\"}}}",
	                               name, sandbox.directory, name);
	return rtreg_reload(registry, &source, flags, ret, NULL);
}

static void assert_features(const char *name)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	struct rtreg_runtime runtime;
	char expected[64];

	snprintf(expected, sizeof(expected), "{\"of\":\"%s\"}", name);
	ck_assert_int_eq(rtreg_resolve(snapshot, name, &runtime, NULL), 0);
	ck_assert_pstr_eq(runtime.features_json, expected);
	rtreg_unpin(snapshot);
}

static int refuse(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)txn;
	(void)ret_error;
	return *(bool *)context ? -EUNATCH : 0;
}

START_TEST(reload_that_fails_takes_no_features_from_the_live_ones)
{
	struct rtreg_report *report = NULL;
	bool refusing = false;

	make_runtime("live");
	make_runtime("other");
	open_registry();
	ck_assert_int_eq(reload("live", 0, NULL), 0);
	ck_assert_int_eq(rtreg_add_step(registry, "refuse", refuse, &refusing), 0);
	refusing = true;
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(reload("other", 0, NULL), -EUNATCH);
	ck_assert_int_eq(reload("live", RTREG_RELOAD_DRY_RUN, &report), 0);
	ck_assert_msg(rtreg_report_unchanged(report), "%s", rtreg_report_json(report));
	rtreg_report_free(report);
	refusing = false;
	ck_assert_int_eq(reload("live", RTREG_RELOAD_FORCE, NULL), 0);
	assert_features("live");
}
END_TEST

/* --- several at once --- */

static sem_t entered, leave;
static bool blocking = true;
static int published, published_with_features;

static int block_once_and_refuse(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	struct rtreg_runtime runtime;

	(void)context;
	(void)ret_error;
	if (!blocking) {
		published++;
		for (size_t i = 0; rtreg_snapshot_runtime(rtreg_txn_new(txn), i, &runtime, NULL) == 0; i++)
			published_with_features += runtime.features_json != NULL;
		return 0;
	}
	sem_post(&entered);
	sem_wait(&leave);
	blocking = false;
	return -EUNATCH;
}

struct attempt {
	pthread_t thread;
	const char *name;
	int result;
	struct rtreg_report *report;
};

static void *reload_on_thread(void *argument)
{
	struct attempt *attempt = argument;

	attempt->result = reload(attempt->name, 0, &attempt->report);
	return NULL;
}

/*
 * While the first reload holds the writer's lock and is going to fail, two more have probed and wait for it.
 * The one that gets it finds its base unchanged; the other does not, and merges again.
 */
static void run_all(struct attempt attempts[3])
{
	sem_init(&entered, 0, 0);
	sem_init(&leave, 0, 0);
	open_registry();
	ck_assert_int_eq(rtreg_add_step(registry, "block", block_once_and_refuse, NULL), 0);
	pthread_create(&attempts[0].thread, NULL, reload_on_thread, &attempts[0]);
	sem_wait(&entered);
	for (int i = 1; i < 3; i++) {
		pthread_create(&attempts[i].thread, NULL, reload_on_thread, &attempts[i]);
		wait_until_asked(attempts[i].name);
	}
	usleep(100000); /* their answers are taken; sooner, this could only fail to find the fault */
	sem_post(&leave);
	for (int i = 0; i < 3; i++)
		pthread_join(attempts[i].thread, NULL);
	ck_assert_int_eq(attempts[0].result, -EUNATCH);
	ck_assert_int_eq(attempts[1].result, 0);
	ck_assert_int_eq(attempts[2].result, 0);
}

START_TEST(reload_that_waited_for_the_lock_has_its_features)
{
	struct attempt attempts[] = {{.name = "first"}, {.name = "second"}, {.name = "third"}};

	for (int i = 0; i < 3; i++)
		make_runtime(attempts[i].name);
	run_all(attempts);
	ck_assert_int_eq(published, 2);
	ck_assert_int_ge(published_with_features, 2); /* runc may be installed, and tell its own */
	for (int i = 1; i < 3; i++)
		rtreg_report_free(attempts[i].report);
}
END_TEST

/* One of the two is merged a second time, and its runtime is not asked again. */
START_TEST(reload_that_is_merged_again_keeps_its_warnings)
{
	struct attempt attempts[] = {{.name = "first"}, {.name = "second"}, {.name = "third"}};

	make_runtime("first");
	make_failing_runtime("second");
	make_failing_runtime("third");
	run_all(attempts);
	for (int i = 1; i < 3; i++) {
		const char *json = rtreg_report_json(attempts[i].report);
		char expected[64];

		snprintf(expected, sizeof(expected), "/%s: no OCI features: exit status 3", attempts[i].name);
		ck_assert_msg(strstr(json, expected), "%s not in %s", expected, json);
		rtreg_report_free(attempts[i].report);
	}
}
END_TEST

/* --- children --- */

/* A child that another thread has forked, and that has not come to its exec yet. */
START_TEST(close_beside_a_forked_child_gives_the_state_directory_back)
{
	pid_t child;

	open_registry();
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		for (;;)
			pause();
	rtreg_close(registry);
	registry = NULL;
	open_registry();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
END_TEST

/* --- signals --- */

static void do_nothing(int number)
{
	(void)number;
}

static void *interrupt_all_the_time(void *argument)
{
	pthread_t *target = argument;

	for (int i = 0; i < 2000; i++) {
		pthread_kill(*target, SIGUSR1);
		usleep(100);
	}
	return NULL;
}

START_TEST(reload_under_signals_is_not_interrupted)
{
	struct sigaction action = {.sa_handler = do_nothing}; /* without SA_RESTART */
	pthread_t thread, self = pthread_self();
	char name[32];

	sigaction(SIGUSR1, &action, NULL);
	open_registry();
	pthread_create(&thread, NULL, interrupt_all_the_time, &self);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		make_runtime(name);
		sandbox_write(&sandbox,
		              "{\"runtimes\":{\"%s\":{\"path\":\"%s/%s\",\"runtimeArgs\":[\"--n=%d\"]}}}",
		              name, sandbox.directory, name, i);
		ck_assert_msg(rtreg_reload(registry, NULL, 0, NULL, &error) == 0, "%s", error.message);
		assert_features(name);
	}
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("beside");
	TCase *tcase = tcase_create("beside");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reload_that_fails_takes_no_features_from_the_live_ones);
	tcase_add_test(tcase, reload_that_waited_for_the_lock_has_its_features);
	tcase_add_test(tcase, reload_that_is_merged_again_keeps_its_warnings);
	tcase_add_test(tcase, close_beside_a_forked_child_gives_the_state_directory_back);
	tcase_add_test(tcase, reload_under_signals_is_not_interrupted);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
