/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests on a connection that is kept: when it is used again, when it is replaced, and what is said of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/problems.h"
#include "client/http.h"
#include "played.h"
#include "unit.h"

#define PATIENCE_MS 60000

static char folder[32], path[64];
static struct http_connection connection;
static struct played *played;
static struct rtreg_error error;

static void setup(void)
{
	strcpy(folder, "/tmp/test_http.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	connection = (struct http_connection){.socket = path, .fd = -1};
}

static void teardown(void)
{
	http_disconnect(&connection);
	played_stop(played);
	remove(path);
	ck_assert_int_eq(remove(folder), 0);
	rtreg_error_fini(&error);
}

static int ask_within(int64_t timeout_ms, struct http_reply *ret)
{
	struct http_request request = {.method = "GET", .target = "/x"};
	struct http_wait wait = {.timeout_ms = timeout_ms};

	return http_call_again(&connection, &request, &wait, ret, &error);
}

static void check_reply(const char *body, bool repeated)
{
	_cleanup_http_reply_ struct http_reply reply = {0};

	ck_assert_msg(ask_within(PATIENCE_MS, &reply) == 0, "%s", error.message);
	ck_assert_int_eq(reply.status / 100, 2);
	ck_assert_str_eq(reply.body, body);
	ck_assert_int_eq(reply.repeated, repeated);
}

static void check_fails(int64_t timeout_ms, int code, const char *message)
{
	struct http_reply reply = {.status = -1};

	ck_assert_int_eq(ask_within(timeout_ms, &reply), code);
	ck_assert_int_eq(error.code, code);
	ck_assert_msg(strstr(error.message, message) && strstr(error.message, path), "message: %s",
	              error.message);
	ck_assert_int_eq(reply.status, -1);
	ck_assert_ptr_null(reply.body);
	ck_assert_int_eq(connection.fd, -1);
}

#define PLAY(...)                                         \
	static const struct turn turns[] = {__VA_ARGS__}; \
	played = played_start(path, turns, sizeof(turns) / sizeof(turns[0]))

START_TEST(call_again_second_request_uses_the_same_connection)
{
	PLAY({SAYS("200 OK", "one")}, {SAYS("200 OK", "two")});
	check_reply("one", false);
	check_reply("two", false);
	ck_assert_uint_eq(played_connections(played), 1);
	ck_assert_ptr_null(strstr(played_request(played, 0), "Connection:"));
}
END_TEST

START_TEST(call_again_reply_whose_end_is_told_keeps_the_connection)
{
	PLAY({.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"},
	     {.reply = "HTTP/1.1 204 No Content\r\n\r\n"},
	     {.reply = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"},
	     {.reply = "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nthree"});
	check_reply("one", false);
	check_reply("", false);
	check_reply("two", false);
	check_reply("three", false);
	ck_assert_uint_eq(played_connections(played), 1);
}
END_TEST

static const char *const last_replies[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none",
        "HTTP/1.1 200 OK\r\nconnection: Close\r\nContent-Length: 3\r\n\r\none",
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nonetwo",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong",
};

START_TEST(call_again_reply_that_is_the_last_gives_the_connection_up)
{
	struct turn turns[] = {{.reply = last_replies[_i]}, {SAYS("200 OK", "two")}};

	played = played_start(path, turns, 2);
	check_reply("one", false);
	ck_assert_int_eq(connection.fd, -1);
	check_reply("two", false);
	ck_assert_uint_eq(played_connections(played), 2);
}
END_TEST

START_TEST(call_again_reply_to_the_end_of_the_connection_is_taken)
{
	PLAY({.reply = "HTTP/1.1 200 OK\r\n\r\none", .end = TURN_CLOSE}, {SAYS("200 OK", "two")});
	check_reply("one", false);
	check_reply("two", false);
}
END_TEST

START_TEST(call_again_connection_closed_meanwhile_is_replaced_in_silence)
{
	PLAY({SAYS("200 OK", "one"), .end = TURN_CLOSE}, {SAYS("200 OK", "two")});
	check_reply("one", false);
	played_wait_closed(played, 1);
	check_reply("two", false);
	ck_assert_uint_eq(played_requests(played), 2);
}
END_TEST

START_TEST(call_again_what_comes_between_two_requests_is_nobodys_reply)
{
	char byte;

	PLAY({.reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 503 Busy\r\nContent-Length: "
	               "4\r\n\r\nbusy",
	      .end = TURN_CLOSE},
	     {SAYS("200 OK", "two")});
	check_reply("one", false);
	ck_assert(connection.fd < 0 || recv(connection.fd, &byte, 1, MSG_PEEK) == 1);
	check_reply("two", false);
	ck_assert_uint_eq(played_requests(played), 2);
}
END_TEST

static const char *const lost_replies[] = {
        NULL, "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\non",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"};

START_TEST(call_again_reply_lost_on_the_way_is_asked_for_once_more)
{
	struct turn turns[] = {{SAYS("200 OK", "one")},
	                       {.reply = lost_replies[_i], .end = TURN_CLOSE},
	                       {SAYS("200 OK", "two")},
	                       {SAYS("200 OK", "three")}};

	played = played_start(path, turns, 4);
	check_reply("one", false);
	check_reply("two", true);
	check_reply("three", false);
	ck_assert_str_eq(played_request(played, 1), played_request(played, 2));
	ck_assert_uint_eq(played_connections(played), 2);
}
END_TEST

START_TEST(call_again_reply_lost_twice_is_an_error_and_the_next_call_works)
{
	PLAY({.end = TURN_CLOSE}, {.reply = "HTTP/1.1 200", .end = TURN_CLOSE}, {SAYS("200 OK", "one")});
	check_fails(PATIENCE_MS, -ECONNRESET, "closed the connection before its reply was complete");
	ck_assert_uint_eq(played_requests(played), 2);
	check_reply("one", false);
}
END_TEST

/* Again where the time was over before the request was sent. */
static void check_request_fails_in_time(const char *message)
{
	struct http_wait wait = {.timeout_ms = PATIENCE_MS};
	size_t tries = 0;

	do {
		ck_assert_int_eq(http_connect(&connection, &wait, &error), 0);
		check_fails(300, -ETIMEDOUT, message);
		played_wait_closed(played, ++tries);
	} while (played_requests(played) == 0);
	ck_assert_uint_eq(played_requests(played), 1);
}

START_TEST(call_again_late_reply_is_not_taken_for_the_next)
{
	PLAY({.end = TURN_HOLD}, {SAYS("200 OK", "two")});
	check_request_fails_in_time("within 0.3 s");
	check_reply("two", false);
}
END_TEST

START_TEST(call_again_half_a_reply_ends_with_the_time_limit)
{
	PLAY({.reply = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nhalf", .end = TURN_HOLD});
	check_request_fails_in_time("no answer");
}
END_TEST

START_TEST(call_again_what_is_no_http_is_said_and_not_asked_again)
{
	PLAY({.reply = "SSH-2.0-OpenSSH_9.2\r\n\r\n"});
	check_fails(PATIENCE_MS, -EPROTO, "does not speak HTTP");
	ck_assert_uint_eq(played_requests(played), 1);
}
END_TEST

START_TEST(connect_with_a_connection_keeps_the_new_one)
{
	struct http_wait wait = {.timeout_ms = PATIENCE_MS};

	PLAY({SAYS("200 OK", "one")});
	ck_assert_int_eq(http_connect(&connection, &wait, &error), 0);
	ck_assert_int_eq(http_connect(&connection, &wait, &error), 0);
	check_reply("one", false);
	ck_assert_uint_eq(played_connections(played), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("kept connection");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, call_again_second_request_uses_the_same_connection);
	tcase_add_test(tcase, call_again_reply_whose_end_is_told_keeps_the_connection);
	tcase_add_loop_test(tcase, call_again_reply_that_is_the_last_gives_the_connection_up, 0,
	                    ARRAY_SIZE(last_replies));
	tcase_add_test(tcase, call_again_reply_to_the_end_of_the_connection_is_taken);
	tcase_add_test(tcase, call_again_connection_closed_meanwhile_is_replaced_in_silence);
	tcase_add_test(tcase, call_again_what_comes_between_two_requests_is_nobodys_reply);
	tcase_add_loop_test(tcase, call_again_reply_lost_on_the_way_is_asked_for_once_more, 0,
	                    ARRAY_SIZE(lost_replies));
	tcase_add_test(tcase, call_again_reply_lost_twice_is_an_error_and_the_next_call_works);
	tcase_add_test(tcase, call_again_late_reply_is_not_taken_for_the_next);
	tcase_add_test(tcase, call_again_half_a_reply_ends_with_the_time_limit);
	tcase_add_test(tcase, call_again_what_is_no_http_is_said_and_not_asked_again);
	tcase_add_test(tcase, connect_with_a_connection_keeps_the_new_one);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
