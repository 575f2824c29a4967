/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request thread and what it is handed, with a handler of the test's own in place of the server. */
#include <check.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "connections.h"
#include "events.h"
#include "reloads.h"
#include "request.h"
#include "service.h"
#include "shared/format.h"
#include "sharing.h"
#include "unit.h"
#include "worker.h"

static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static struct service service;
static struct worker worker;
static sem_t handling;
static int calls;

/* What kept replies are compared with; there are none. */
uint64_t live_generation(struct rtreg *registry)
{
	(void)registry;
	return 0;
}

/* Waits until the thread has been told to end; then does as a handler does that is refused by the queue of reloads. */
static enum MHD_Result handle_late(void *context, struct MHD_Connection *http, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_size, void **slot)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	struct pollfd told = {.fd = worker.message_fd, .events = POLLIN};

	(void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size, (void)slot;
	switch (calls++) {
	case 0: /* the head */
	case 1: /* see wants_a_turn() in server.c */
		return MHD_YES;
	case 2:
		sem_post(&handling);
		ck_assert_int_eq(poll(&told, 1, -1), 1);
		MHD_suspend_connection(http);
		worker_resume(&worker, http);
		return MHD_YES;
	default:
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		result = MHD_queue_response(http, 503, response);
		MHD_destroy_response(response);
		return result;
	}
}

static void setup(void)
{
	sem_init(&handling, 0, 0);
	service.connections = connections_new(-1);
	service.events = events_new();
	ck_assert_ptr_nonnull(service.connections);
	ck_assert_ptr_nonnull(service.events);
}

static void teardown(void)
{
	events_free(service.events);
	connections_free(service.connections);
	sem_destroy(&handling);
}

START_TEST(worker_stop_before_a_request_is_suspended_still_has_it_answered)
{
	struct MHD_Daemon *http =
	        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
	                         NULL, handle_late, NULL, MHD_OPTION_END);
	_cleanup_close_ int client = -1;
	char reply[256] = "";
	int pair[2];

	ck_assert_ptr_nonnull(http);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	client = pair[0];
	ck_assert_int_eq(worker_start(&worker, &service, http), 0);
	worker_take(&worker, pair[1]);
	ck_assert_int_eq(send(client, request, strlen(request), 0), (ssize_t)strlen(request));
	sem_wait(&handling);
	worker_stop(&worker); /* the library aborts if one is suspended then */
	ck_assert_int_gt(recv(client, reply, sizeof(reply) - 1, 0), 0);
	ck_assert_msg(strncmp(reply, "HTTP/1.1 503 ", 13) == 0, "%s", reply);
}
END_TEST

static void count_call(void *context)
{
	(*(int *)context)++;
}

static void *cut_late(void *connections)
{
	connections_cut_late(connections);
	return NULL;
}

/* Of what a thread's library has read, but not handled yet, nobody else can know. */
START_TEST(connection_past_its_deadline_is_cut_by_its_own_thread_alone)
{
	struct connections *connections = service.connections;
	struct pollfd cut = {.events = POLLIN};
	pthread_t other;
	int pair[2], late = 0;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	cut.fd = pair[0];
	connections_on_late(connections, count_call, &late);
	ck_assert_int_eq(connections_add(connections, pair[1]), 0);
	connection_give(connections_started(connections, pair[1]), 0);
	connections_tick(connections);
	ck_assert_int_eq(late, 1);
	ck_assert_int_eq(pthread_create(&other, NULL, cut_late, connections), 0);
	pthread_join(other, NULL);
	ck_assert_int_eq(poll(&cut, 1, 0), 0);
	connections_cut_late(connections);
	ck_assert_int_eq(poll(&cut, 1, 0), 1);
	connections_tick(connections);
	ck_assert_int_eq(late, 1);
	connections_forget(connections, pair[1]);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* As its thread may be late, and a stop waits for what is unfinished. */
START_TEST(connection_with_input_that_is_not_read_yet_is_unfinished_past_its_deadline)
{
	struct connections *connections = service.connections;
	char read[sizeof(request)];
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(connections_add(connections, pair[1]), 0);
	connection_give(connections_started(connections, pair[1]), 0);
	ck_assert_uint_eq(connections_unfinished(connections), 0);
	ck_assert_int_eq(send(pair[0], request, strlen(request), 0), (ssize_t)strlen(request));
	ck_assert_uint_eq(connections_unfinished(connections), 1);
	ck_assert_int_eq(recv(pair[1], read, sizeof(read), 0), (ssize_t)strlen(request));
	ck_assert_uint_eq(connections_unfinished(connections), 0);
	connections_forget(connections, pair[1]);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

static struct request upgrade;

static void note_peer(void *context, struct MHD_Connection *http, void **slot,
                      enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void)context, (void)slot;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		upgrade.peer = connections_started(service.connections, info->connect_fd);
	else
		connections_closed(service.connections, upgrade.peer);
}

/* With a time for taking the reply that is over at once. */
static enum MHD_Result handle_upgrade(void *context, struct MHD_Connection *http, const char *url,
                                      const char *method, const char *version, const char *upload,
                                      size_t *upload_size, void **slot)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
	if (!*slot) {
		*slot = &upgrade;
		connection_head_complete(upgrade.peer, false);
		return MHD_YES;
	}
	ck_assert(mapper_wanted(http));
	connection_give(upgrade.peer, 0);
	response = mapper_new(&upgrade);
	result = MHD_queue_response(http, 101, response);
	MHD_destroy_response(response);
	return result;
}

static void read_whole(int fd, void *ret, size_t size)
{
	ck_assert_int_eq(recv(fd, ret, size, MSG_WAITALL), (ssize_t)size);
}

static void read_head(int fd)
{
	char end[5] = "";

	while (strcmp(end, "\r\n\r\n") != 0) {
		memmove(end, end + 1, 3);
		read_whole(fd, end + 3, 1);
	}
}

/* Who has the answer to a question knows that it was taken over. */
static void ask_for_page(int fd)
{
	struct shared_question question = {.what = SHARED_ASK_CONTROL};
	struct shared_answer answer;

	ck_assert_int_eq(send(fd, &question, sizeof(question), 0), sizeof(question));
	read_whole(fd, &answer, sizeof(answer));
	ck_assert_uint_eq(answer.what, SHARED_ASK_CONTROL);
	ck_assert_int_eq(answer.code, 0);
}

START_TEST(connection_that_was_upgraded_has_no_deadline_though_its_reply_had_one)
{
	static const char head[] = "GET " SHARED_TARGET " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
	                           "Upgrade: " SHARED_PROTOCOL "\r\n\r\n";
	struct MHD_Daemon *http = MHD_start_daemon(
	        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_UPGRADE, 0, NULL, NULL, handle_upgrade,
	        NULL, MHD_OPTION_NOTIFY_CONNECTION, note_peer, NULL, MHD_OPTION_END);
	int pair[2], late = 0;

	ck_assert_ptr_nonnull(http);
	ck_assert_int_eq(sharing_new(&service.sharing), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	upgrade = (struct request){.service = &service, .worker = &worker};
	connections_on_late(service.connections, count_call, &late);
	ck_assert_int_eq(worker_start(&worker, &service, http), 0);
	ck_assert_int_eq(connections_add(service.connections, pair[1]), 0);
	worker_take(&worker, pair[1]);
	ck_assert_int_eq(send(pair[0], head, strlen(head), 0), (ssize_t)strlen(head));
	read_head(pair[0]);
	ask_for_page(pair[0]);
	ck_assert_uint_eq(connections_upgraded(service.connections), 1);
	connections_tick(service.connections);
	ck_assert_int_eq(late, 0);
	worker_tell(&worker); /* it cuts what is late */
	ask_for_page(pair[0]);
	ask_for_page(pair[0]);
	worker_stop(&worker);
	ck_assert_int_eq(recv(pair[0], &late, 1, 0), 0);
	ck_assert_uint_eq(connections_count(service.connections), 0);
	sharing_end(service.sharing);
	sharing_free(service.sharing);
	close(pair[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker");
	TCase *ending = tcase_create("ending"), *deadlines = tcase_create("deadlines");

	tcase_add_checked_fixture(ending, setup, teardown);
	tcase_set_timeout(ending, 60);
	tcase_add_test(ending, worker_stop_before_a_request_is_suspended_still_has_it_answered);
	suite_add_tcase(suite, ending);
	tcase_add_checked_fixture(deadlines, setup, teardown);
	tcase_add_test(deadlines, connection_past_its_deadline_is_cut_by_its_own_thread_alone);
	tcase_add_test(deadlines, connection_with_input_that_is_not_read_yet_is_unfinished_past_its_deadline);
	tcase_add_test(deadlines, connection_that_was_upgraded_has_no_deadline_though_its_reply_had_one);
	suite_add_tcase(suite, deadlines);
	return unit_run(suite);
}
