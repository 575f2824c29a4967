/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, resolving, and what becomes of replies that say no or make no sense. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"
#include "unit.h"
#include "world.h"

#define RUNC_BODY                                                                                \
	"{\"generation\":7,\"name\":\"wrapped\",\"shim\":\"io.containerd.runc.v2\",\"options\":" \
	"{\"BinaryName\":\"/s/wrapped.12\",\"Root\":\"/e\",\"SystemdCgroup\":false}}\n"
#define KATA_BODY                                                                                          \
	"{\"generation\":18446744073709,\"name\":\"kata\",\"shim\":\"io.containerd.kata.v2\",\"options\":" \
	"{\"big\":1e400,\"BinaryName\":\"x\"}}\n"
#define RUNC SAYS("200 OK", RUNC_BODY)
#define KATA SAYS("200 OK", KATA_BODY)

/* --- opening --- */

static int open_at(const char *socket)
{
	struct rtreg_client *const untouched = (struct rtreg_client *)folder, *opened = untouched;
	int result = rtreg_client_open(socket, &opened, &error);

	if (result < 0)
		ck_assert_ptr_eq(opened, untouched);
	else
		client = opened;
	return result;
}

START_TEST(open_without_a_daemon_says_so_and_what_to_do)
{
	check_error(open_at(path), -ENOTCONN, path);
	ck_assert_ptr_nonnull(strstr(error.message, "start rtregd"));
}
END_TEST

START_TEST(open_of_a_socket_that_nobody_listens_at_is_not_connected)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	check_error(open_at(path), -ENOTCONN, "Connection refused");
}
END_TEST

START_TEST(open_of_what_is_no_socket_is_not_connected)
{
	char below[80];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(below, sizeof(below), "%s/x", path);
	check_error(open_at(path), -ENOTCONN, path);
	check_error(open_at(folder), -ENOTCONN, folder);
	check_error(open_at(below), -ENOTCONN, below);
	check_error(open_at(""), -ENOTCONN, "");
}
END_TEST

START_TEST(open_of_a_path_that_no_socket_has_says_so)
{
	char longest[200];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	check_error(open_at(longest), -ENAMETOOLONG, "File name too long");
}
END_TEST

START_TEST(open_without_permission_is_not_permitted)
{
	pid_t pid;
	int status;

	played = played_start(path, NULL, 0);
	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(2);
		_exit(rtreg_client_open(path, &client, &error) != -EPERM || error.code != -EPERM ||
		      !strstr(error.message, "group"));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(open_without_a_path_takes_the_one_of_the_environment)
{
	ck_assert_int_eq(setenv("RTREG_SOCKET", path, 1), 0);
	check_error(open_at(NULL), -ENOTCONN, path);
	played = played_start(path, NULL, 0);
	ck_assert_int_eq(open_at(NULL), 0);
	ck_assert_int_eq(unsetenv("RTREG_SOCKET"), 0);
}
END_TEST

START_TEST(open_with_an_empty_environment_takes_the_usual_path)
{
	if (access("/run/rtreg/rtreg.sock", F_OK) == 0)
		return;
	ck_assert_int_eq(setenv("RTREG_SOCKET", "", 1), 0);
	check_error(open_at(NULL), -ENOTCONN, "/run/rtreg/rtreg.sock");
}
END_TEST

START_TEST(open_closes_its_descriptor_on_exec)
{
	PLAY({RUNC});
	ck_assert_int_eq(fcntl(client->connection.fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(close_takes_null)
{
	rtreg_client_close(NULL);
}
END_TEST

/* --- resolving --- */

START_TEST(resolve_gives_what_the_daemon_answers)
{
	struct rtreg_runtime runtime;

	PLAY({RUNC});
	ck_assert_uint_eq(rtreg_client_generation(client), 0);
	ck_assert_int_eq(rtreg_client_resolve(client, "wrapped", &runtime, &error), 0);
	ck_assert_str_eq(runtime.name, "wrapped");
	ck_assert_uint_eq(runtime.name_length, 7);
	ck_assert_str_eq(runtime.shim, "io.containerd.runc.v2");
	ck_assert_uint_eq(runtime.shim_length, 21);
	ck_assert_str_eq(runtime.binary, "/s/wrapped.12");
	ck_assert_str_eq(runtime.options_json,
	                 "{\"BinaryName\":\"/s/wrapped.12\",\"Root\":\"/e\",\"SystemdCgroup\":false}");
	ck_assert_ptr_null(runtime.path);
	ck_assert_ptr_null(runtime.wrapper);
	ck_assert_ptr_null(runtime.features_json);
	ck_assert_uint_eq(rtreg_client_generation(client), 7);
}
END_TEST

START_TEST(resolve_of_another_shim_has_no_binary)
{
	struct rtreg_runtime runtime;

	PLAY({KATA});
	ck_assert_int_eq(rtreg_client_resolve(client, "kata", &runtime, &error), 0);
	ck_assert_str_eq(runtime.shim, "io.containerd.kata.v2");
	ck_assert_ptr_null(runtime.binary);
	ck_assert_str_eq(runtime.options_json, "{\"big\":1e400,\"BinaryName\":\"x\"}");
	ck_assert_uint_eq(rtreg_client_generation(client), 18446744073709);
}
END_TEST

START_TEST(resolve_without_options_has_none)
{
	struct rtreg_runtime runtime = {.options_json = "x", .binary = "x"};

	PLAY({SAYS("200 OK",
	           "{\"generation\":1,\"name\":\"a.b\",\"shim\":\"io.containerd.runc.v2\",\"options\":{}}")},
	     {SAYS("200 OK", "{\"generation\":2,\"name\":\"a.b\",\"shim\":\"a.b\"}")});
	ck_assert_int_eq(rtreg_client_resolve(client, "a.b", &runtime, &error), 0);
	ck_assert_ptr_null(runtime.options_json);
	ck_assert_ptr_null(runtime.binary);
	ck_assert_int_eq(rtreg_client_resolve(client, "a.b", &runtime, &error), 0);
	ck_assert_ptr_null(runtime.options_json);
}
END_TEST

START_TEST(resolve_asks_for_any_name_as_it_is)
{
	struct rtreg_runtime runtime;

	PLAY({RUNC}, {RUNC}, {RUNC});
	ck_assert_int_eq(rtreg_client_resolve(client, NULL, &runtime, &error), 0);
	ck_assert_int_eq(rtreg_client_resolve(client, "", &runtime, &error), 0);
	ck_assert_int_eq(rtreg_client_resolve(client, "a b/c=%&\xc3\xbc", &runtime, &error), 0);
	check_request(0, "GET /v1/resolve?runtime=", "");
	check_request(1, "GET /v1/resolve?runtime=", "");
	check_request(2, "GET /v1/resolve?runtime=a%20b%2Fc%3D%25%26%C3%BC", "");
}
END_TEST

START_TEST(resolve_of_a_name_that_it_returned_itself_works)
{
	struct rtreg_runtime runtime;

	PLAY({RUNC}, {RUNC});
	ck_assert_int_eq(rtreg_client_resolve(client, "", &runtime, &error), 0);
	ck_assert_int_eq(rtreg_client_resolve(client, runtime.name, &runtime, &error), 0);
	check_request(1, "GET /v1/resolve?runtime=wrapped", "");
}
END_TEST

START_TEST(resolve_of_a_reply_of_megabytes_takes_it_whole)
{
	static const char begin[] = "{\"generation\":1,\"name\":\"n\",\"shim\":\"s.s\",\"options\":{\"o\":\"";
	static const char end[] = "\"}}";
	static char reply[((size_t)4 << 20) + 200];
	size_t filler = (size_t)4 << 20, size = strlen(begin) + filler + strlen(end);
	struct rtreg_runtime runtime;
	struct turn turn = {.reply = reply};
	int head;

	head = sprintf(reply, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", size, begin);
	memset(reply + head, 'x', filler);
	strcpy(reply + head + filler, end);
	play_turns(&turn, 1);
	ck_assert_msg(rtreg_client_resolve(client, "n", &runtime, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(strlen(runtime.options_json), filler + strlen("{'o':''}"));
}
END_TEST

/* --- replies that say no --- */

static const struct refusal {
	struct turn turn;
	int code;
	const char *message;
} refusals[] = {
        {{SAYS("400 Bad Request", "{\"message\":\"unknown: x\"}")}, -EINVAL, "unknown: x"},
        {{SAYS("403 Forbidden", "{\"message\":\"no\"}")}, -EPERM, "no"},
        {{SAYS("404 Not Found", "{\"message\":\"no\"}")}, -ESRCH, "no"},
        {{SAYS("409 Conflict", "{\"message\":\"no\"}")}, -EEXIST, "no"},
        {{SAYS("412 Precondition Failed", "{\"message\":\"no\"}")}, -ESTALE, "no"},
        {{SAYS("413 Too Large", "")}, -EINVAL, "HTTP status 413"},
        {{SAYS("414 Too Long", "")}, -EINVAL, "HTTP status 414"},
        {{SAYS("424 Failed Dependency", "{\"message\":\"no file\",\"exit-code\":127}")}, -ENOENT, "no file"},
        {{SAYS("424 Failed Dependency", "{\"message\":\"no exec\",\"exit-code\":126}")}, -EACCES, "no exec"},
        {{SAYS("424 Failed Dependency", "{\"message\":\"no\"}")}, -ENOENT, "no"},
        {{SAYS("431 Too Large", "<html>")}, -EINVAL, "HTTP status 431"},
        {{SAYS("500 Oops", "{\"message\":\"no space\"}")}, -EIO, "no space"},
        {{SAYS("503 Busy", "{\"message\":\"no\"}")}, -EAGAIN, "no"},
        {{SAYS("503 Busy", "")}, -EAGAIN, "HTTP status 503"},
        {{SAYS("418 Teapot", "[]")}, -EPROTO, "HTTP status 418"},
        {{SAYS("302 Found", "{\"message\":5}")}, -EPROTO, "HTTP status 302"},
        {{SAYS("200 OK", "")}, -EPROTO, "not what was asked for"},
        {{SAYS("200 OK", "{}")}, -EPROTO, "not what was asked for"},
        {{SAYS("200 OK", "null")}, -EPROTO, "not what was asked for"},
        {{SAYS("200 OK", "<html>")}, -EPROTO, "not what was asked for"},
        {{SAYS("200 OK", "{\"generation\":1,\"name\":\"n\",\"shim\":1}")}, -EPROTO, "not what was asked for"},
        {{SAYS("200 OK", "{\"generation\":\"\",\"name\":\"n\",\"shim\":\"s\"}")},
         -EPROTO,
         "not what was asked for"},
        {{SAYS("204 No Content", "")}, -EPROTO, "not what was asked for"},
        {{.reply = "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, -EPROTO, "does not speak HTTP"},
        {{.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n"}, -EFBIG, "larger than"},
        {{.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n"},
         -EFBIG,
         "larger than"},
        {{.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}, -EPROTO, "does not speak HTTP"},
};

START_TEST(resolve_of_a_refusal_is_its_error_and_touches_nothing)
{
	const struct refusal *refusal = &refusals[_i];
	struct rtreg_runtime runtime = {.name = "untouched"};

	play_turns(&refusal->turn, 1);
	check_error(rtreg_client_resolve(client, "x", &runtime, &error), refusal->code, refusal->message);
	ck_assert_str_eq(runtime.name, "untouched");
	ck_assert_uint_eq(rtreg_client_generation(client), 0);
	ck_assert_uint_eq(played_requests(played), 1);
}
END_TEST

START_TEST(resolve_after_a_refusal_uses_the_same_connection)
{
	struct rtreg_runtime runtime;

	PLAY({SAYS("400 Bad Request", "{\"message\":\"no\"}")}, {RUNC});
	ck_assert_int_eq(rtreg_client_resolve(client, "x", &runtime, NULL), -EINVAL);
	ck_assert_int_eq(rtreg_client_resolve(client, "x", &runtime, NULL), 0);
	ck_assert_uint_eq(played_connections(played), 1);
}
END_TEST

/* --- a daemon that is away --- */

START_TEST(resolve_after_a_restart_of_the_daemon_works)
{
	struct rtreg_runtime runtime;

	PLAY({RUNC, .end = TURN_CLOSE});
	ck_assert_int_eq(rtreg_client_resolve(client, "x", &runtime, &error), 0);
	played_stop(played);
	played = NULL;
	remove(path);
	check_error(rtreg_client_resolve(client, "x", &runtime, &error), -ENOTCONN, path);
	played = played_start(path, turns, 1);
	ck_assert_msg(rtreg_client_resolve(client, "x", &runtime, &error) == 0, "%s", error.message);
}
END_TEST

START_TEST(resolve_without_an_answer_ends_with_the_time_limit)
{
	struct rtreg_runtime runtime;
	size_t tries = 0;

	PLAY({.end = TURN_HOLD}, {RUNC});
	/* again where the time was over before the request was sent */
	while (played_requests(played) == 0) {
		rtreg_client_close(client);
		client = NULL;
		ck_assert_int_eq(open_at(path), 0);
		rtreg_client_set_timeout(client, 300);
		check_error(rtreg_client_resolve(client, "x", &runtime, &error), -ETIMEDOUT, "within 0.3 s");
		played_wait_closed(played, 1 + ++tries);
	}
	rtreg_client_set_timeout(client, 0);
	ck_assert_msg(rtreg_client_resolve(client, "x", &runtime, &error) == 0, "%s", error.message);
}
END_TEST

START_TEST(resolve_in_a_child_leaves_the_connection_to_its_parent)
{
	struct rtreg_runtime runtime;
	int status;
	pid_t pid;

	PLAY({RUNC}, {KATA});
	ck_assert_int_eq(rtreg_client_resolve(client, "x", &runtime, &error), 0);
	pid = fork();
	if (pid == 0) {
		/* nobody serves another connection as long as there is the parent's */
		rtreg_client_set_timeout(client, 300);
		_exit(rtreg_client_resolve(client, "child", &runtime, NULL) != -ETIMEDOUT);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(rtreg_client_resolve(client, "parent", &runtime, &error), 0);
	ck_assert_str_eq(runtime.name, "kata");
	check_request(1, "GET /v1/resolve?runtime=parent", "");
	ck_assert_uint_eq(played_connections(played), 1);
}
END_TEST

/* --- the suite --- */

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tcase = tcase_create("client");

	tcase_add_checked_fixture(tcase, world_setup, world_teardown);
	tcase_add_test(tcase, open_without_a_daemon_says_so_and_what_to_do);
	tcase_add_test(tcase, open_of_a_socket_that_nobody_listens_at_is_not_connected);
	tcase_add_test(tcase, open_of_what_is_no_socket_is_not_connected);
	tcase_add_test(tcase, open_of_a_path_that_no_socket_has_says_so);
	tcase_add_test(tcase, open_without_permission_is_not_permitted);
	tcase_add_test(tcase, open_without_a_path_takes_the_one_of_the_environment);
	tcase_add_test(tcase, open_with_an_empty_environment_takes_the_usual_path);
	tcase_add_test(tcase, open_closes_its_descriptor_on_exec);
	tcase_add_test(tcase, close_takes_null);
	tcase_add_test(tcase, resolve_gives_what_the_daemon_answers);
	tcase_add_test(tcase, resolve_of_another_shim_has_no_binary);
	tcase_add_test(tcase, resolve_without_options_has_none);
	tcase_add_test(tcase, resolve_asks_for_any_name_as_it_is);
	tcase_add_test(tcase, resolve_of_a_name_that_it_returned_itself_works);
	tcase_add_test(tcase, resolve_of_a_reply_of_megabytes_takes_it_whole);
	tcase_add_loop_test(tcase, resolve_of_a_refusal_is_its_error_and_touches_nothing, 0,
	                    ARRAY_SIZE(refusals));
	tcase_add_test(tcase, resolve_after_a_refusal_uses_the_same_connection);
	tcase_add_test(tcase, resolve_after_a_restart_of_the_daemon_works);
	tcase_add_test(tcase, resolve_without_an_answer_ends_with_the_time_limit);
	tcase_add_test(tcase, resolve_in_a_child_leaves_the_connection_to_its_parent);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
