/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"

#define BACKLOG      1024
#define START_MS     30000
#define START_TICK_S 0.005
#define QUIET_MS     100 /* after which no more of a reply comes */

/* --- processes --- */

int server_place(struct server *server, const char *directory, const char *name, struct rtreg_error *error)
{
	if (snprintf(server->socket, sizeof(server->socket), "%s/%s", directory, name) <
	    (int)sizeof(server->socket))
		return 0;
	*server->socket = '\0';
	return bench_fail(error, -ENAMETOOLONG, "the path %s is too long for a socket in it", directory);
}

static void set_address(const struct server *server, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, server->socket, sizeof(ret->sun_path));
}

static int listen_at(const struct server *server)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	set_address(server, &address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return take_fd(&fd);
}

static void be_silent(void)
{
	const int null = open("/dev/null", O_RDWR);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
}

/* As fork(2); the child ends with its parent. */
static pid_t fork_bound(void)
{
	const pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	return 0;
}

int server_exec(struct server *server, const char *const *arguments)
{
	const pid_t pid = fork_bound();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		be_silent();
		execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	server->pid = pid;
	return 0;
}

int server_call(struct server *server, server_fn function, const void *context)
{
	_cleanup_close_ int fd = listen_at(server);
	pid_t pid;

	if (fd < 0)
		return fd;
	pid = fork_bound();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		function(fd, context);
		_exit(1);
	}
	server->pid = pid;
	return 0;
}

void server_stop(struct server *server)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

static int connect_to(const struct server *server)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	set_address(server, &address);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(&fd);
}

int server_wait(const struct server *server)
{
	const struct timespec tick = {.tv_nsec = (long)(START_TICK_S * 1e9)};

	for (int waited = 0; waited < (int)(START_MS / 1e3 / START_TICK_S); waited++) {
		_cleanup_close_ int fd = connect_to(server);
		siginfo_t ended = {0};

		if (fd >= 0)
			return 0;
		if (waitid(P_PID, (id_t)server->pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    ended.si_pid != 0)
			return -ECHILD;
		nanosleep(&tick, NULL);
	}
	return -ETIMEDOUT;
}

const char *server_reason(int code)
{
	return code == -ECHILD ? "it has ended" : strerror(-code);
}

/* --- what it used --- */

int64_t server_cpu_ns(const struct server *server)
{
	struct timespec used = {0};
	clockid_t clock;

	if (clock_getcpuclockid(server->pid, &clock) == 0)
		clock_gettime(clock, &used);
	return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

static bool read_line_of(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	const bool read = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	if (read)
		line[strcspn(line, "\n")] = '\0';
	return read;
}

int server_threads(const struct server *server, const char *name, unsigned *ret_count, double *ret_percent)
{
	char path[300], line[128];
	double most = 0, all = 0;
	unsigned count = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)server->pid);
	tasks = opendir(path);
	if (!tasks)
		return -errno;
	for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
		double used;

		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)server->pid, task->d_name);
		if (!read_line_of(path, line, sizeof(line)) || strcmp(line, name) != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)server->pid, task->d_name);
		if (!read_line_of(path, line, sizeof(line)))
			continue;
		used = strtod(line, NULL);
		most = used > most ? used : most;
		all += used;
		count++;
	}
	closedir(tasks);
	*ret_count = count;
	*ret_percent = all > 0 ? 100 * most / all : 0;
	return 0;
}

int server_memory(const struct server *server, uint64_t *ret_bytes)
{
	unsigned long long kibibytes = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)server->pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "Rss:", 4) == 0)
			kibibytes = strtoull(line + 4, NULL, 10);
	fclose(file);
	*ret_bytes = kibibytes * 1024;
	return 0;
}

/* --- requests --- */

static int send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent < 0)
			return -errno;
		data += sent;
		size -= (size_t)sent;
	}
	return 0;
}

int server_exchange(const struct server *server, const char *request, size_t size, bool until_closed,
                    struct text *ret)
{
	_cleanup_close_ int fd = connect_to(server);
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	int timeout_ms = START_MS, r;
	char buffer[65536];

	if (fd < 0)
		return fd;
	r = send_all(fd, request, size);
	while (r == 0 && poll(&waiting, 1, timeout_ms) > 0) {
		const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

		if (got == 0 && until_closed)
			return ret->failed ? -ENOMEM : 0;
		if (got <= 0)
			return -ECONNRESET;
		text_append_n(ret, buffer, (size_t)got);
		if (!until_closed)
			timeout_ms = QUIET_MS;
	}
	if (r < 0)
		return r;
	if (until_closed || ret->length == 0)
		return -ETIMEDOUT;
	return ret->failed ? -ENOMEM : 0;
}

int server_ask(struct server *server, struct text *ret)
{
	const int r = server_exchange(server, server->request, server->request_size, false, ret);

	server->reply_size = ret->length;
	return r;
}

/* --- the bare limit --- */

static void echo_once(int fd, int listener, int epoll_fd)
{
	char buffer[4096];
	ssize_t size;

	if (fd == listener) {
		struct epoll_event event = {.events = EPOLLIN};

		event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
		return;
	}
	size = recv(fd, buffer, sizeof(buffer), 0);
	if (size <= 0)
		close(fd);
	else
		(void)!send(fd, buffer, (size_t)size, MSG_NOSIGNAL);
}

void server_echo(int fd, const void *context)
{
	const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64] = {{.events = EPOLLIN, .data.fd = fd}};

	(void)context;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &events[0]) < 0)
		return;
	for (;;) {
		const int count = epoll_wait(epoll_fd, events, ARRAY_SIZE(events), -1);

		for (int i = 0; i < count; i++)
			echo_once(events[i].data.fd, fd, epoll_fd);
	}
}
