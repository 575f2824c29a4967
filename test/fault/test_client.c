/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fails the N-th allocation of a client's call, for every N until it gets by without: -ENOMEM, outputs
 * untouched, nothing leaked, and the next call works.
 */
#include <check.h>
#include <errno.h>
#include <rtreg/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "played.h"

#define LIMIT 1000 /* more allocations than any of these makes */
#define RUNTIME                                                                                            \
	"{\"generation\":7,\"name\":\"n\",\"shim\":\"io.containerd.runc.v2\",\"options\":{\"BinaryName\":" \
	"\"b\"}}"
#define LOCK_IN                                                                                   \
	"{\"id\":\"web\",\"root\":\"\",\"runtime\":\"n\",\"shim\":\"s.s\",\"options\":{\"a\":1}," \
	"\"binary\":null,\"wrapper\":null,\"generation\":7,\"locked\":\"2026-01-02T03:04:05Z\"}"

static char folder[32], path[64];
static struct turn turns[LIMIT];
static struct played *played;
static struct rtreg_client *client;
static struct rtreg_error error;

static void setup(void)
{
	strcpy(folder, "/tmp/test_fault.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
}

static void play(struct turn turn)
{
	for (size_t i = 0; i < LIMIT; i++)
		turns[i] = turn;
	played = played_start(path, turns, LIMIT);
	ck_assert_int_eq(rtreg_client_open(path, &client, &error), 0);
	rtreg_client_set_timeout(client, 60000);
}

static void teardown(void)
{
	rtreg_client_close(client);
	if (played)
		played_stop(played);
	remove(path);
	ck_assert_int_eq(remove(folder), 0);
	rtreg_error_fini(&error);
}

/* Whether the last call left its output alone. An assertion would allocate memory of its own. */
static bool untouched;

static int resolve(void)
{
	struct rtreg_runtime runtime = {.name = folder};
	int code = rtreg_client_resolve(client, "n", &runtime, &error);

	untouched = runtime.name == folder;
	return code;
}

static int lock(void)
{
	struct rtreg_lock_in lock_in = {.id = folder};
	int code = rtreg_client_lock_in(client, "/r", "web", "n", &lock_in, &error);

	untouched = lock_in.id == folder;
	rtreg_lock_in_fini(&lock_in);
	return code;
}

static int unlock(void)
{
	untouched = true;
	return rtreg_client_unlock(client, "/r", "web", &error);
}

/* What a failing call returns when it has its memory; what it is called with. */
static const struct fault_case {
	struct turn turn;
	int (*call)(void);
	int code;
} cases[] = {
        {{SAYS("200 OK", RUNTIME)}, resolve, 0},
        {{SAYS("424 Failed Dependency", "{\"message\":\"m\",\"exit-code\":126}")}, resolve, -EACCES},
        {{SAYS("200 OK", LOCK_IN)}, lock, 0},
        {{SAYS("409 Conflict", "{\"message\":\"m\"}")}, lock, -EEXIST},
        {{.reply = "HTTP/1.1 204 No Content\r\n\r\n"}, unlock, 0},
        {{.end = TURN_CLOSE}, unlock, -ECONNRESET},
};

START_TEST(call_without_memory_says_so_and_the_next_one_works)
{
	const struct fault_case *c = &cases[_i];
	bool failed = true;

	play(c->turn);
	for (unsigned long n = 1; failed; n++) {
		int code;

		ck_assert_uint_lt(n, LIMIT / 4);
		fault_memory(n);
		code = c->call();
		failed = fault_end();
		ck_assert_msg(code == c->code || (failed && code == -ENOMEM), "returned %d: %s", code,
		              error.message);
		ck_assert_int_eq(code, code < 0 ? error.code : 0);
		ck_assert(untouched || code == 0);
		rtreg_error_fini(&error);
		ck_assert_int_eq(c->call(), c->code);
		rtreg_error_fini(&error);
	}
}
END_TEST

START_TEST(open_without_memory_says_so)
{
	struct rtreg_client *const none = (struct rtreg_client *)folder;
	bool failed = true;

	played = played_start(path, turns, 0);
	for (unsigned long n = 1; failed; n++) {
		int code;

		ck_assert_uint_lt(n, LIMIT);
		client = none;
		fault_memory(n);
		code = rtreg_client_open(path, &client, &error);
		failed = fault_end();
		ck_assert_int_eq(code, failed ? -ENOMEM : 0);
		ck_assert(code == 0 || client == none);
		rtreg_client_close(code == 0 ? client : NULL);
		client = NULL;
		rtreg_error_fini(&error);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tcase = tcase_create("memory");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, call_without_memory_says_so_and_the_next_one_works, 0,
	                    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tcase, open_without_memory_says_so);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
