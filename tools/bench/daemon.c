/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "rtreg/client.h"

#define START_NS  30000000000
#define PAUSE_NS  2000000
#define NAME      "rtregd"
#define PATH_ROOM (PATH_MAX + 32)

/* Where it was built, and where it is installed, seen from this program. */
static const char *const places[] = {"../daemon/" NAME, "../sbin/" NAME, NAME};

static void find_program(char ret[static PATH_ROOM])
{
	const char *given = getenv("RTREG_BENCH_RTREGD");
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (given && *given) {
		snprintf(ret, PATH_ROOM, "%s", given);
		return;
	}
	own[length > 0 ? length : 0] = '\0';
	if (strrchr(own, '/'))
		*strrchr(own, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(ret, PATH_ROOM, "%s/%s", own, places[i]);
		if (access(ret, X_OK) == 0)
			return;
	}
	snprintf(ret, PATH_ROOM, "%s", NAME);
}

/* Context: the child. Its messages would stand among the figures. */
static void execute(const struct bench_daemon *daemon, const struct world *world, const char *program)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDERR_FILENO);
	execlp(program, NAME, "--config-file", world->config, "--state-dir", daemon->state, "--exec-root",
	       world->exec_root, "--socket", daemon->socket, "--no-watch", (char *)NULL);
	_exit(127);
}

static int wait_until_it_answers(struct bench_daemon *daemon, const char *program, struct rtreg_error *error)
{
	int64_t end_ns = bench_now_ns() + START_NS;
	struct rtreg_client *client;
	int r;

	do {
		r = rtreg_client_open(daemon->socket, &client, error);
		if (r == 0) {
			rtreg_client_close(client);
			return 0;
		}
		if (waitpid(daemon->pid, NULL, WNOHANG) == daemon->pid) {
			daemon->pid = 0;
			bench_say("%s does not start", program);
			return -ENOENT;
		}
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	} while (bench_now_ns() < end_ns);
	return r;
}

int daemon_start(struct bench_daemon *daemon, const struct world *world, struct rtreg_error *error)
{
	char program[PATH_ROOM];
	pid_t child;

	snprintf(daemon->socket, sizeof(daemon->socket), "%s/s", world->directory);
	snprintf(daemon->state, sizeof(daemon->state), "%s/served", world->directory);
	find_program(program);
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		execute(daemon, world, program);
	daemon->pid = child;
	return wait_until_it_answers(daemon, program, error);
}

void daemon_stop(struct bench_daemon *daemon)
{
	if (daemon->pid <= 0)
		return;
	kill(daemon->pid, SIGTERM);
	waitpid(daemon->pid, NULL, 0);
	daemon->pid = 0;
}

static int receive_all(int fd, struct text *ret)
{
	char buffer[65536];
	ssize_t size;

	while ((size = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		text_append_n(ret, buffer, (size_t)size);
	if (size < 0)
		return -errno;
	return ret->failed ? -ENOMEM : 0;
}

int daemon_ask(const struct bench_daemon *daemon, const char *method, const char *target, const char *body,
               struct text *ret)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_text_ struct text request = {0};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	text_printf(&request, "%s %s HTTP/1.1\r\nHost: rtreg\r\nConnection: close\r\n", method, target);
	text_printf(&request, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
	if (strlen(daemon->socket) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, daemon->socket, strlen(daemon->socket));
	if (request.failed)
		return -ENOMEM;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	for (size_t sent = 0; sent < request.length;) {
		ssize_t size = send(fd, request.data + sent, request.length - sent, MSG_NOSIGNAL);

		if (size < 0)
			return -errno;
		sent += (size_t)size;
	}
	return receive_all(fd, ret);
}
