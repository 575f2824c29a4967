/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is late, seen from the thread that has the connection. */
#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connections.h"
#include "timestamp.h"
#include "unit.h"

static struct connections *connections;
static struct connection *connection;
static int epoll_fd, pair[2];

static void setup(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	connections = connections_new(epoll_fd);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(connections_add(connections, pair[0]), 0);
	connection = connections_started(connections, pair[0]);
	ck_assert_ptr_nonnull(connection);
}

static void teardown(void)
{
	connections_free(connections);
	close(pair[0]);
	close(pair[1]);
	close(epoll_fd);
}

static void fill(void)
{
	static const char bytes[4096];

	while (write(pair[0], bytes, sizeof(bytes)) > 0)
		;
}

static bool is_cut(void)
{
	struct pollfd poller = {.fd = pair[1], .events = POLLRDHUP};

	connections_cut_late(connections);
	return poll(&poller, 1, 0) > 0 && (poller.revents & POLLRDHUP);
}

START_TEST(follower_whose_time_is_up_and_who_takes_nothing_is_cut)
{
	connection_follows(connection);
	fill();
	ck_assert(!is_cut());
	connection_give(connection, 0);
	ck_assert(is_cut());
}
END_TEST

START_TEST(follower_who_has_room_waits_for_the_thread_and_is_not_late)
{
	connection_follows(connection);
	connection_give(connection, 0);
	ck_assert(!is_cut());
	fill();
	ck_assert(is_cut());
}
END_TEST

START_TEST(head_that_has_come_waits_for_the_thread_and_is_not_late)
{
	connection_give(connection, 0);
	ck_assert_int_eq(write(pair[1], "G", 1), 1);
	ck_assert(!is_cut());
}
END_TEST

START_TEST(head_of_which_nothing_comes_is_late)
{
	connection_give(connection, 0);
	ck_assert(is_cut());
}
END_TEST

START_TEST(reply_is_owed_to_who_has_room_for_it_until_the_request_is_done)
{
	connection_head_complete(connection, false);
	ck_assert(!connections_owe(connections));
	connection_owes(connection);
	ck_assert(connections_owe(connections));
	connection_request_done(connection);
	ck_assert(!connections_owe(connections));
}
END_TEST

START_TEST(reply_is_not_owed_to_who_takes_nothing_of_it)
{
	connection_head_complete(connection, false);
	connection_owes(connection);
	fill();
	ck_assert(!connections_owe(connections));
}
END_TEST

START_TEST(connection_that_comes_at_a_stop_is_not_waited_for_as_long_as_another)
{
	int64_t began_ms, now_ms;
	int late[2];

	connections_forget(connections, pair[0]);
	connections_stop(connections);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, late), 0);
	began_ms = monotonic_now_ms();
	ck_assert_int_eq(connections_add(connections, late[0]), 0);
	ck_assert_ptr_nonnull(connections_started(connections, late[0]));
	do {
		now_ms = monotonic_now_ms();
		ck_assert(now_ms < began_ms + HEAD_DEADLINE_MS / 2 ||
		          connections_unfinished(connections) == 0);
		poll(NULL, 0, 10);
	} while (connections_unfinished(connections) > 0);
	connections_forget(connections, late[0]);
	close(late[0]);
	close(late[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connections");
	TCase *tests = tcase_create("late");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, follower_whose_time_is_up_and_who_takes_nothing_is_cut);
	tcase_add_test(tests, follower_who_has_room_waits_for_the_thread_and_is_not_late);
	tcase_add_test(tests, head_that_has_come_waits_for_the_thread_and_is_not_late);
	tcase_add_test(tests, head_of_which_nothing_comes_is_late);
	tcase_add_test(tests, reply_is_owed_to_who_has_room_for_it_until_the_request_is_done);
	tcase_add_test(tests, reply_is_not_owed_to_who_takes_nothing_of_it);
	tcase_add_test(tests, connection_that_comes_at_a_stop_is_not_waited_for_as_long_as_another);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
