/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench/bench.h"
#include "bench/server.h"

static int ask(struct load *load, size_t i)
{
	const struct server *server = load->server;

	load->asked++;
	load->asked_ns[i] = bench_now_ns();
	if (send(load->fds[i], server->request, server->request_size, MSG_NOSIGNAL) !=
	    (ssize_t)server->request_size)
		return -ECONNRESET;
	return 0;
}

static int note(struct load *load, int64_t took_ns)
{
	if (load->done == load->capacity) {
		const size_t capacity = load->capacity ? load->capacity * 2 : 4096;
		int64_t *more = reallocarray(load->took_ns, capacity, sizeof(*more));

		if (!more)
			return -ENOMEM;
		load->took_ns = more;
		load->capacity = capacity;
	}
	load->took_ns[load->done++] = took_ns;
	return 0;
}

/* Reads one whole reply, and notes how long it took. */
static int read_reply(struct load *load, size_t i)
{
	size_t left = load->server->reply_size;
	char buffer[8192];

	while (left > 0) {
		const ssize_t size =
		        recv(load->fds[i], buffer, left < sizeof(buffer) ? left : sizeof(buffer), 0);

		if (size <= 0)
			return -ECONNRESET;
		left -= (size_t)size;
	}
	return note(load, bench_now_ns() - load->asked_ns[i]);
}

static int connect_one(struct load *load, size_t i)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	load->fds[load->count++] = fd;
	memcpy(address.sun_path, load->server->socket, sizeof(address.sun_path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	r = ask(load, i);
	return r < 0 ? r : read_reply(load, i);
}

int load_init(struct load *load, struct server *server, size_t connections)
{
	int r = 0;

	*load = (struct load){.server = server, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	load->fds = calloc(connections, sizeof(*load->fds));
	load->asked_ns = calloc(connections, sizeof(*load->asked_ns));
	if (load->epoll_fd < 0)
		return -errno;
	if (!load->fds || !load->asked_ns)
		return -ENOMEM;
	for (size_t i = 0; i < connections && r == 0; i++)
		r = connect_one(load, i);
	return r;
}

void load_fini(struct load *load)
{
	if (!load->server)
		return;
	for (size_t i = 0; i < load->count; i++)
		close(load->fds[i]);
	cleanup_closep(&load->epoll_fd);
	free(load->fds);
	free(load->asked_ns);
	free(load->took_ns);
	*load = (struct load){0};
}

/* Reads the replies that have come, and asks again until it is time to end. */
static int serve_turn(struct load *load, size_t requests, int64_t end_ns, size_t *pending)
{
	struct epoll_event events[64];
	const int count = epoll_wait(load->epoll_fd, events, ARRAY_SIZE(events), -1);
	int r = count < 0 && errno != EINTR ? -errno : 0;

	for (int i = 0; i < count && r == 0; i++) {
		const size_t which = (size_t)events[i].data.u64;

		r = read_reply(load, which);
		if (r == 0 && (requests > 0 ? load->asked < requests : bench_now_ns() < end_ns))
			r = ask(load, which);
		else
			--*pending;
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const struct load *load, double part)
{
	return (double)load->took_ns[(size_t)((double)(load->done - 1) * part)];
}

int load_run(struct load *load, size_t requests, int64_t duration_ns, struct load_figures *ret)
{
	const int64_t cpu_ns = server_cpu_ns(load->server), began_ns = bench_now_ns();
	size_t pending = load->count;
	int64_t used_ns, took_ns;
	int r = 0;

	load->asked = load->done = 0;
	for (size_t i = 0; i < load->count && r == 0; i++)
		r = ask(load, i);
	while (pending > 0 && r == 0)
		r = serve_turn(load, requests, began_ns + duration_ns, &pending);
	if (r < 0)
		return r;
	used_ns = server_cpu_ns(load->server) - cpu_ns;
	took_ns = bench_now_ns() - began_ns;
	qsort(load->took_ns, load->done, sizeof(*load->took_ns), compare);
	*ret = (struct load_figures){
	        .cpu_ns = (double)used_ns / (double)load->done,
	        .time_ns = (double)took_ns / (double)load->done,
	        .p50_ns = percentile(load, 0.5),
	        .p99_ns = percentile(load, 0.99),
	        .p999_ns = percentile(load, 0.999),
	};
	return 0;
}
