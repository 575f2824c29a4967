/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "service.h"

enum { NO_DESCRIPTOR = -1, LOOK_AT_STREAMS = -2, THE_END = -3 };

/* What a wait was ended by; the library's own descriptors are its affair. */
struct news {
	bool messages;
	bool gone; /* a stream's client, perhaps; nothing else hangs up */
};

static int timeout_ms(struct worker *worker)
{
	int streams = streams_timeout_ms(&worker->streams);
	MHD_UNSIGNED_LONG_LONG timeout;

	if (MHD_get_timeout(worker->http, &timeout) != MHD_YES || timeout > INT_MAX)
		return streams;
	return streams >= 0 && streams < (int)timeout ? streams : (int)timeout;
}

/* Not through a pipe: its user may have so many that it holds less than there may be to say. */
static void send_message(struct worker *worker, struct message message)
{
	static const uint64_t one = 1;

	pthread_mutex_lock(&worker->lock);
	assert(worker->message_count < MESSAGES_MAX);
	worker->messages[(worker->first_message + worker->message_count++) % MESSAGES_MAX] = message;
	pthread_mutex_unlock(&worker->lock);
	while (write(worker->message_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void add_connection(struct worker *worker, int fd)
{
	struct sockaddr address = {.sa_family = AF_UNIX};

	/* On failure it has closed the descriptor. */
	if (MHD_add_connection(worker->http, fd, &address, sizeof(address)) != MHD_YES)
		connections_forget(worker->service->connections, fd);
}

static bool read_message(struct worker *worker, struct message *ret)
{
	bool found;

	pthread_mutex_lock(&worker->lock);
	found = worker->message_count > 0;
	if (found) {
		*ret = worker->messages[worker->first_message];
		worker->first_message = (worker->first_message + 1) % MESSAGES_MAX;
		worker->message_count--;
	}
	pthread_mutex_unlock(&worker->lock);
	return found;
}

/* Does what it was handed. False: the thread is to end. */
static bool read_messages(struct worker *worker)
{
	struct message message;
	uint64_t many;

	/* Before the messages: what comes from here on is said again. */
	(void)!read(worker->message_fd, &many, sizeof(many));
	while (read_message(worker, &message)) {
		if (message.fd >= 0)
			add_connection(worker, message.fd);
		else if (message.suspended)
			MHD_resume_connection(message.suspended);
		else if (message.fd == THE_END)
			return false;
	}
	return true;
}

/* Waits until there is something to do. An event is a mapper's, the worker's own, which are messages, or nobody's. */
static struct news wait_for_work(struct worker *worker)
{
	struct epoll_event events[32];
	int count = epoll_wait(worker->epoll_fd, events, ARRAY_SIZE(events), timeout_ms(worker));
	struct news news = {0};

	for (int i = 0; i < count; i++) {
		void *of = events[i].data.ptr;

		if (of == worker)
			news.messages = true;
		else if (of)
			mapper_serve(of);
		else
			news.gone = news.gone || (events[i].events & (EPOLLHUP | EPOLLERR));
	}
	return news;
}

/* Whether any were: a request that was refused at once is resumed by this thread itself, perhaps after the end. */
static bool resume_late_ones(struct worker *worker)
{
	struct message message;
	bool any = false;

	while (read_message(worker, &message)) {
		if (message.suspended) {
			MHD_resume_connection(message.suspended);
			any = true;
		}
	}
	return any;
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct news news = {0};

	while (!news.messages || read_messages(worker)) {
		/* Taken back before they look: what happens from here on is told again. */
		bool told = atomic_exchange(&worker->told, false);

		streams_serve(&worker->streams, told || news.gone);
		if (told && connections_stopping(worker->service->connections))
			mappers_cut(&worker->mappers);
		MHD_run(worker->http);
		if (told) {
			connections_cut_late(worker->service->connections);
			kept_refresh(&worker->kept);
		}
		news = wait_for_work(worker);
	}
	/* The library takes it ill if one is suspended when it stops. */
	streams_cut(&worker->streams);
	mappers_cut(&worker->mappers);
	do
		MHD_run(worker->http);
	while (resume_late_ones(worker));
	return NULL;
}

/* `of` is what wait_for_work() knows it by. */
static int watch(const struct worker *worker, int fd, void *of)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = of};

	return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct worker *worker)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(worker->http, MHD_DAEMON_INFO_EPOLL_FD);
	int rc;

	if (!info)
		return -ENOTSUP;
	worker->message_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->message_fd < 0 || worker->epoll_fd < 0)
		return -errno;
	rc = watch(worker, info->epoll_fd, NULL);
	return rc < 0 ? rc : watch(worker, worker->message_fd, worker);
}

static void give_back(struct worker *worker)
{
	cleanup_closep(&worker->epoll_fd);
	cleanup_closep(&worker->message_fd);
	pthread_mutex_destroy(&worker->lock);
}

int worker_start(struct worker *worker, struct service *service, struct MHD_Daemon *http)
{
	int rc;

	*worker = (struct worker){.service = service, .http = http, .epoll_fd = -1, .message_fd = -1};
	pthread_mutex_init(&worker->lock, NULL);
	rc = open_descriptors(worker);
	worker->streams.epoll_fd = worker->mappers.epoll_fd = worker->epoll_fd;
	worker->kept.registry = service->registry;
	if (rc == 0)
		rc = -pthread_create(&worker->thread, NULL, work, worker);
	if (rc < 0) {
		give_back(worker);
		return rc;
	}
	pthread_setname_np(worker->thread, "rtregd-http");
	return 0;
}

void worker_stop(struct worker *worker)
{
	send_message(worker, (struct message){.fd = THE_END});
	pthread_join(worker->thread, NULL);
	MHD_stop_daemon(worker->http);
	kept_drop(&worker->kept);
	free(worker->spare);
	give_back(worker);
}

void worker_take(struct worker *worker, int fd)
{
	send_message(worker, (struct message){.fd = fd});
}

void worker_resume(struct worker *worker, struct MHD_Connection *suspended)
{
	send_message(worker, (struct message){.fd = NO_DESCRIPTOR, .suspended = suspended});
}

void worker_tell(struct worker *worker)
{
	if (!atomic_exchange(&worker->told, true))
		send_message(worker, (struct message){.fd = LOOK_AT_STREAMS});
}
