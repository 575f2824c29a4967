/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lock-ins over the socket: what is asked, what comes back, and what a lost reply means for each. */
#include "base/cleanup.h"
#include "unit.h"
#include "world.h"

#define LOCK_IN                                                                                             \
	"{\"id\":\"web\",\"root\":\"/r\",\"runtime\":\"kata\",\"shim\":\"io.containerd.runc.v2\","          \
	"\"options\":{\"BinaryName\":\"/s/kata.12\"},\"binary\":\"/s/kata.12\",\"wrapper\":\"/s/kata.12\"," \
	"\"generation\":7,\"locked\":\"2026-01-02T03:04:05.678901234Z\"}"
#define BARE                                                                                              \
	"{\"id\":\"web\",\"root\":\"\",\"runtime\":\"a.b\",\"shim\":\"a.b\",\"options\":null,\"binary\":" \
	"null,"                                                                                           \
	"\"wrapper\":null,\"generation\":7,\"locked\":\"2026-01-02T03:04:05Z\"}"

static struct rtreg_lock_in lock_in;

static void teardown(void)
{
	rtreg_lock_in_fini(&lock_in);
	world_teardown();
}

static int lock(const char *root, const char *container, const char *runtime)
{
	rtreg_lock_in_fini(&lock_in);
	return rtreg_client_lock_in(client, root, container, runtime, &lock_in, &error);
}

START_TEST(lock_in_gives_what_the_daemon_made)
{
	PLAY({SAYS("201 Created", LOCK_IN)}, {SAYS("201 Created", BARE)});
	ck_assert_msg(lock("/r", "web", "kata") == 0, "%s", error.message);
	ck_assert_str_eq(lock_in.id, "web");
	ck_assert_str_eq(lock_in.root, "/r");
	ck_assert_str_eq(lock_in.runtime, "kata");
	ck_assert_str_eq(lock_in.shim, "io.containerd.runc.v2");
	ck_assert_str_eq(lock_in.options_json, "{\"BinaryName\":\"/s/kata.12\"}");
	ck_assert_str_eq(lock_in.binary, "/s/kata.12");
	ck_assert_str_eq(lock_in.wrapper, "/s/kata.12");
	ck_assert_str_eq(lock_in.locked, "2026-01-02T03:04:05.678901234Z");
	ck_assert_str_eq(lock_in.json, LOCK_IN);
	ck_assert_uint_eq(lock_in.generation, 7);
	ck_assert(lock_in.created);
	ck_assert_int_eq(lock(NULL, "web", NULL), 0);
	ck_assert_ptr_null(lock_in.options_json);
	ck_assert_ptr_null(lock_in.binary);
	ck_assert_ptr_null(lock_in.wrapper);
}
END_TEST

START_TEST(lock_in_outlives_the_client)
{
	PLAY({SAYS("201 Created", LOCK_IN)});
	ck_assert_int_eq(lock("/r", "web", "kata"), 0);
	rtreg_client_close(client);
	client = NULL;
	ck_assert_str_eq(lock_in.binary, "/s/kata.12");
}
END_TEST

START_TEST(lock_in_that_was_there_is_not_created)
{
	PLAY({SAYS("200 OK", LOCK_IN)});
	ck_assert_int_eq(lock("/r", "web", ""), 0);
	ck_assert(!lock_in.created);
}
END_TEST

START_TEST(lock_in_asks_for_container_root_and_runtime)
{
	PLAY({SAYS("200 OK", LOCK_IN)}, {SAYS("200 OK", LOCK_IN)}, {SAYS("200 OK", LOCK_IN)});
	ck_assert_int_eq(lock("/a//b c/../d/", "Web_1.x-y", "say \"kata\""), 0);
	ck_assert_int_eq(lock(NULL, "web", NULL), 0);
	ck_assert_int_eq(lock("", "web", ""), 0);
	check_request(0, "PUT /v1/containers/Web_1.x-y?root=%2Fa%2Fd", "{\"runtime\":\"say \\\"kata\\\"\"}");
	check_request(1, "PUT /v1/containers/web", "{\"runtime\":\"\"}");
	check_request(2, "PUT /v1/containers/web", "{\"runtime\":\"\"}");
}
END_TEST

START_TEST(lock_in_whose_result_is_not_wanted_is_made)
{
	PLAY({SAYS("201 Created", LOCK_IN)});
	ck_assert_int_eq(rtreg_client_lock_in(client, NULL, "web", NULL, NULL, NULL), 0);
	ck_assert_uint_eq(played_requests(played), 1);
}
END_TEST

static const struct name {
	const char *root, *container;
} bad_names[] = {{NULL, NULL},  {NULL, ""},    {NULL, ".."}, {NULL, "a/b"},
                 {NULL, "a b"}, {NULL, "a?b"}, {"r", "web"}, {NULL, "\xc3\xbc"}};

START_TEST(names_that_cannot_be_are_not_asked_for)
{
	const struct name *name = &bad_names[_i];

	played = played_start(path, NULL, 0);
	ck_assert_int_eq(rtreg_client_open(path, &client, NULL), 0);
	check_error(lock(name->root, name->container, NULL), -EINVAL, "bad ");
	check_error(rtreg_client_locked(client, name->root, name->container, &lock_in, &error), -EINVAL,
	            "bad ");
	check_error(rtreg_client_unlock(client, name->root, name->container, &error), -EINVAL, "bad ");
	ck_assert_uint_eq(played_requests(played), 0);
}
END_TEST

static const struct refusal {
	struct turn turn;
	int code, exit_code;
} refusals[] = {
        {{SAYS("400 Bad Request", "{\"message\":\"why\",\"exit-code\":125}")}, -EINVAL, 125},
        {{SAYS("403 Forbidden", "{\"message\":\"why\"}")}, -EPERM, 125},
        {{SAYS("409 Conflict", "{\"message\":\"why\",\"exit-code\":125}")}, -EEXIST, 125},
        {{SAYS("424 Failed Dependency", "{\"message\":\"why\",\"exit-code\":127}")}, -ENOENT, 127},
        {{SAYS("424 Failed Dependency", "{\"message\":\"why\",\"exit-code\":126}")}, -EACCES, 126},
        {{SAYS("500 Internal Server Error", "{\"message\":\"why\",\"exit-code\":125}")}, -EIO, 125},
        {{SAYS("503 Service Unavailable", "{\"message\":\"why\"}")}, -EAGAIN, 125},
};

START_TEST(lock_in_that_is_refused_has_the_exit_code_of_an_engine)
{
	const struct refusal *refusal = &refusals[_i];

	play_turns(&refusal->turn, 1);
	check_error(lock(NULL, "web", "kata"), refusal->code, "why");
	ck_assert_int_eq(rtreg_exit_code(&error), refusal->exit_code);
	ck_assert_ptr_null(lock_in.id);
	ck_assert_ptr_null(lock_in.memory);
}
END_TEST

START_TEST(lock_in_without_a_daemon_is_no_missing_binary)
{
	PLAY({SAYS("201 Created", LOCK_IN), .end = TURN_CLOSE});
	ck_assert_int_eq(lock(NULL, "web", NULL), 0);
	played_stop(played);
	played = NULL;
	check_error(lock(NULL, "web", NULL), -ENOTCONN, "Connection refused");
	ck_assert_int_eq(rtreg_exit_code(&error), 125);
	remove(path);
	check_error(lock(NULL, "web", NULL), -ENOTCONN, "No such file");
	ck_assert_int_eq(rtreg_exit_code(&error), 125);
}
END_TEST

static const char *const no_lock_ins[] = {"", "{}", "[]", "{\"id\":\"web\"}", "{\"id\":1}", "<html>"};

START_TEST(lock_in_of_another_reply_is_puzzling)
{
	struct turn turn = {SAYS("201 Created", no_lock_ins[_i])};

	play_turns(&turn, 1);
	check_error(lock(NULL, "web", NULL), -EPROTO, "not what was asked for");
	ck_assert_ptr_null(lock_in.memory);
}
END_TEST

START_TEST(lock_in_whose_reply_is_lost_is_asked_for_again)
{
	PLAY({.end = TURN_CLOSE}, {SAYS("200 OK", LOCK_IN)});
	ck_assert_int_eq(lock(NULL, "web", NULL), 0);
	ck_assert(!lock_in.created);
	ck_assert_str_eq(played_request(played, 0), played_request(played, 1));
}
END_TEST

START_TEST(locked_gives_the_lock_in_or_says_that_there_is_none)
{
	PLAY({SAYS("200 OK", LOCK_IN)}, {SAYS("404 Not Found", "{\"message\":\"none\"}")});
	ck_assert_int_eq(rtreg_client_locked(client, "/r", "web", &lock_in, &error), 0);
	ck_assert_str_eq(lock_in.runtime, "kata");
	ck_assert(!lock_in.created);
	rtreg_lock_in_fini(&lock_in);
	check_error(rtreg_client_locked(client, NULL, "web", &lock_in, &error), -ESRCH, "none");
	check_request(0, "GET /v1/containers/web?root=%2Fr", "");
	check_request(1, "GET /v1/containers/web", "");
}
END_TEST

START_TEST(unlock_removes_or_says_that_there_is_none)
{
	PLAY({.reply = "HTTP/1.1 204 No Content\r\n\r\n"}, {SAYS("404 Not Found", "{\"message\":\"none\"}")});
	ck_assert_int_eq(rtreg_client_unlock(client, "/r", "web", &error), 0);
	check_error(rtreg_client_unlock(client, NULL, "web", &error), -ESRCH, "none");
	check_request(0, "DELETE /v1/containers/web?root=%2Fr", "");
	check_request(1, "DELETE /v1/containers/web", "");
	ck_assert_uint_eq(played_connections(played), 1);
}
END_TEST

START_TEST(unlock_whose_reply_is_lost_may_find_nothing_any_more)
{
	PLAY({.reply = "HTTP/1.1 204", .end = TURN_CLOSE}, {SAYS("404 Not Found", "{\"message\":\"none\"}")});
	ck_assert_msg(rtreg_client_unlock(client, NULL, "web", &error) == 0, "%s", error.message);
	ck_assert_uint_eq(played_requests(played), 2);
}
END_TEST

START_TEST(unlock_on_a_connection_closed_before_still_says_that_there_is_none)
{
	PLAY({SAYS("200 OK", LOCK_IN), .end = TURN_CLOSE}, {SAYS("404 Not Found", "{\"message\":\"none\"}")});
	ck_assert_int_eq(lock(NULL, "web", NULL), 0);
	played_wait_closed(played, 1);
	check_error(rtreg_client_unlock(client, NULL, "web", &error), -ESRCH, "none");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock-ins");
	TCase *tcase = tcase_create("lock-ins");

	tcase_add_checked_fixture(tcase, world_setup, teardown);
	tcase_add_test(tcase, lock_in_gives_what_the_daemon_made);
	tcase_add_test(tcase, lock_in_outlives_the_client);
	tcase_add_test(tcase, lock_in_that_was_there_is_not_created);
	tcase_add_test(tcase, lock_in_asks_for_container_root_and_runtime);
	tcase_add_test(tcase, lock_in_whose_result_is_not_wanted_is_made);
	tcase_add_loop_test(tcase, names_that_cannot_be_are_not_asked_for, 0, ARRAY_SIZE(bad_names));
	tcase_add_loop_test(tcase, lock_in_that_is_refused_has_the_exit_code_of_an_engine, 0,
	                    ARRAY_SIZE(refusals));
	tcase_add_test(tcase, lock_in_without_a_daemon_is_no_missing_binary);
	tcase_add_loop_test(tcase, lock_in_of_another_reply_is_puzzling, 0, ARRAY_SIZE(no_lock_ins));
	tcase_add_test(tcase, lock_in_whose_reply_is_lost_is_asked_for_again);
	tcase_add_test(tcase, locked_gives_the_lock_in_or_says_that_there_is_none);
	tcase_add_test(tcase, unlock_removes_or_says_that_there_is_none);
	tcase_add_test(tcase, unlock_whose_reply_is_lost_may_find_nothing_any_more);
	tcase_add_test(tcase, unlock_on_a_connection_closed_before_still_says_that_there_is_none);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
