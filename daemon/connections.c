/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connections.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "timestamp.h"

#define NO_DEADLINE INT64_MAX
#define LINGER_MAX  256 /* past that, a reply may be lost rather than a descriptor kept */

enum state { ARRIVING, HEAD, BUSY, FOLLOWING, UPGRADED, IDLE };

struct connection {
	struct connections *table;
	struct connection *next, **link; /* under the table's lock */
	int fd;
	struct ucred credentials;
	pthread_t thread; /* whose library has it, once it is not ARRIVING any more */
	_Atomic enum state state;
	_Atomic int64_t deadline_ms;
	atomic_bool cut; /* its time had passed */
	atomic_bool owed;
	bool linger; /* the library's thread alone */
};

struct lingering {
	struct lingering *next;
	int fd;
	int64_t deadline_ms;
};

struct connections {
	pthread_mutex_t lock;
	struct connection *first;
	struct lingering *lingering;
	size_t count, lingering_count;
	int epoll_fd;
	void (*on_late)(void *context);
	void *on_late_context;
	atomic_bool stopping;
};

struct connections *connections_new(int epoll_fd)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	if (!connections)
		return NULL;
	pthread_mutex_init(&connections->lock, NULL);
	connections->epoll_fd = epoll_fd;
	return connections;
}

void connections_on_late(struct connections *connections, void (*fn)(void *context), void *context)
{
	connections->on_late = fn;
	connections->on_late_context = context;
}

static void unlink_connection(struct connections *connections, struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	connections->count--;
	free(connection);
}

static void end_lingering(struct connections *connections, struct lingering **at)
{
	struct lingering *lingering = *at;

	*at = lingering->next;
	connections->lingering_count--;
	close(lingering->fd);
	free(lingering);
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	while (connections->first)
		unlink_connection(connections, connections->first);
	while (connections->lingering)
		end_lingering(connections, &connections->lingering);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

static struct connection *find(struct connections *connections, int fd)
{
	struct connection *connection = connections->first;

	while (connection && connection->fd != fd)
		connection = connection->next;
	return connection;
}

/* The limits of INTERFACE.md: 1,024 in all, 512 of one user who is neither root nor the daemon's own. */
static int check_limits(const struct connections *connections, uid_t uid)
{
	bool limited = uid != 0 && uid != geteuid();
	size_t of_user = 0;

	if (connections->count + connections->lingering_count >= CONNECTIONS_MAX)
		return -EAGAIN;
	for (const struct connection *c = connections->first; limited && c; c = c->next)
		of_user += c->credentials.uid == uid;
	return of_user >= CONNECTIONS_MAX_PER_UID ? -EUSERS : 0;
}

int connections_add(struct connections *connections, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection)), *stale;
	socklen_t size = sizeof(connection->credentials);
	int rc;

	if (!connection)
		return -ENOMEM;
	connection->table = connections;
	connection->fd = fd;
	connection->deadline_ms =
	        monotonic_now_ms() + (connections_stopping(connections) ? LINGER_MS : HEAD_DEADLINE_MS);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &connection->credentials, &size) < 0)
		connection->credentials = (struct ucred){.uid = (uid_t)-1, .gid = (gid_t)-1};
	pthread_mutex_lock(&connections->lock);
	/*
	 * The library closes a connection without a word if it has no memory for it: then its number comes
	 * again.
	 */
	stale = find(connections, fd);
	if (stale)
		unlink_connection(connections, stale);
	rc = check_limits(connections, connection->credentials.uid);
	if (rc < 0) {
		free(connection);
	} else {
		connection->next = connections->first;
		connection->link = &connections->first;
		if (connection->next)
			connection->next->link = &connection->next;
		connections->first = connection;
		connections->count++;
	}
	pthread_mutex_unlock(&connections->lock);
	return rc;
}

void connections_forget(struct connections *connections, int fd)
{
	struct connection *connection;

	pthread_mutex_lock(&connections->lock);
	connection = find(connections, fd);
	if (connection)
		unlink_connection(connections, connection);
	pthread_mutex_unlock(&connections->lock);
}

void connections_linger(struct connections *connections, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	struct lingering *lingering = malloc(sizeof(*lingering));

	shutdown(fd, SHUT_WR);
	pthread_mutex_lock(&connections->lock);
	if (!lingering || connections->lingering_count >= LINGER_MAX ||
	    epoll_ctl(connections->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(lingering);
		close(fd);
	} else {
		*lingering = (struct lingering){connections->lingering, fd, monotonic_now_ms() + LINGER_MS};
		connections->lingering = lingering;
		connections->lingering_count++;
	}
	pthread_mutex_unlock(&connections->lock);
}

/* False at the end of what the peer sends. Bounded, so that one peer does not hold the loop. */
static bool discard_input(int fd)
{
	char buffer[16384];
	ssize_t size = 1;

	for (int i = 0; i < 64 && size > 0; i++)
		size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

void connections_drain(struct connections *connections, int fd)
{
	struct lingering **at;

	pthread_mutex_lock(&connections->lock);
	for (at = &connections->lingering; *at && (*at)->fd != fd; at = &(*at)->next)
		;
	if (*at && !discard_input(fd))
		end_lingering(connections, at);
	pthread_mutex_unlock(&connections->lock);
}

static bool has_unread_input(const struct connection *connection)
{
	int size = 0;

	return ioctl(connection->fd, FIONREAD, &size) == 0 && size > 0;
}

static bool has_room(const struct connection *connection)
{
	struct pollfd poller = {.fd = connection->fd, .events = POLLOUT};

	return poll(&poller, 1, 0) > 0 && poller.revents == POLLOUT;
}

/*
 * Whether it is a busy thread of this side that it waits for. What has come is read whole then, or refused; what
 * follows is told to a peer that has left room for it.
 */
static bool waits_for_thread(const struct connection *connection)
{
	enum state state = connection->state;

	return (state == HEAD && has_unread_input(connection)) ||
	       (state == FOLLOWING && has_room(connection));
}

static bool is_late(const struct connection *connection, int64_t now)
{
	/* ARRIVING: the library may have closed it without a word, and its number be another's. */
	return connection->state != ARRIVING && now >= connection->deadline_ms &&
	       !waits_for_thread(connection);
}

void connections_cut_late(struct connections *connections)
{
	int64_t now = monotonic_now_ms();

	pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->first; c; c = c->next) {
		if (!is_late(c, now) || !pthread_equal(c->thread, pthread_self()))
			continue;
		c->deadline_ms = NO_DEADLINE;
		c->cut = true;
		shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&connections->lock);
}

int connections_tick(struct connections *connections)
{
	int64_t now = monotonic_now_ms();
	struct lingering **at;
	bool any, late = false;

	pthread_mutex_lock(&connections->lock);
	for (const struct connection *c = connections->first; c && !late; c = c->next)
		late = is_late(c, now);
	for (at = &connections->lingering; *at;)
		if (now >= (*at)->deadline_ms)
			end_lingering(connections, at);
		else
			at = &(*at)->next;
	any = connections->first || connections->lingering;
	pthread_mutex_unlock(&connections->lock);
	if (late && connections->on_late)
		connections->on_late(connections->on_late_context);
	return any ? TICK_MS : -1;
}

/* Gives one that has not sent a head yet until `until_ms`, unless the head has come in this very moment. */
static void shorten(struct connection *connection, int64_t until_ms)
{
	int64_t deadline_ms = connection->deadline_ms;

	if ((connection->state == HEAD || connection->state == ARRIVING) && deadline_ms > until_ms)
		atomic_compare_exchange_strong(&connection->deadline_ms, &deadline_ms, until_ms);
}

void connections_stop(struct connections *connections)
{
	int64_t until_ms = monotonic_now_ms() + LINGER_MS;

	pthread_mutex_lock(&connections->lock);
	connections->stopping = true;
	for (struct connection *c = connections->first; c; c = c->next) {
		/* The reading side alone: a request that has come already is still read and answered. */
		if (c->state == IDLE)
			shutdown(c->fd, SHUT_RD);
		else
			shorten(c, until_ms);
	}
	pthread_mutex_unlock(&connections->lock);
}

static bool is_unfinished(const struct connection *connection, int64_t now)
{
	enum state state = connection->state;

	switch (state) {
	case BUSY:
		return true;
	case FOLLOWING:
	case UPGRADED:
		return false;
	case IDLE: /* its next request may wait to be read */
		return has_unread_input(connection);
	default: /* however late: what has come is read when its thread gets to it */
		return !connection->cut && (now < connection->deadline_ms || has_unread_input(connection));
	}
}

size_t connections_count(struct connections *connections)
{
	size_t count;

	pthread_mutex_lock(&connections->lock);
	count = connections->count + connections->lingering_count;
	pthread_mutex_unlock(&connections->lock);
	return count;
}

size_t connections_unfinished(struct connections *connections)
{
	int64_t now = monotonic_now_ms();
	size_t count = 0;

	pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->first; c; c = c->next)
		count += is_unfinished(c, now);
	pthread_mutex_unlock(&connections->lock);
	return count;
}

bool connections_owe(struct connections *connections)
{
	bool any = false;

	pthread_mutex_lock(&connections->lock);
	for (const struct connection *c = connections->first; c && !any; c = c->next)
		any = c->owed && has_room(c);
	pthread_mutex_unlock(&connections->lock);
	return any;
}

static size_t count_of(struct connections *connections, enum state state)
{
	size_t count = 0;

	pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->first; c; c = c->next)
		count += c->state == state;
	pthread_mutex_unlock(&connections->lock);
	return count;
}

size_t connections_following(struct connections *connections)
{
	return count_of(connections, FOLLOWING);
}

size_t connections_upgraded(struct connections *connections)
{
	return count_of(connections, UPGRADED);
}

struct connection *connections_started(struct connections *connections, int fd)
{
	struct connection *connection;

	pthread_mutex_lock(&connections->lock);
	connection = find(connections, fd);
	if (connection) {
		connection->thread = pthread_self();
		connection->state = HEAD;
	}
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void connections_closed(struct connections *connections, struct connection *connection)
{
	bool linger = !connection->cut && (connection->linger || connection->state == HEAD);
	int copy = linger ? fcntl(connection->fd, F_DUPFD_CLOEXEC, 3) : -1;

	pthread_mutex_lock(&connections->lock);
	unlink_connection(connections, connection);
	pthread_mutex_unlock(&connections->lock);
	if (copy >= 0)
		connections_linger(connections, copy);
}

/*
 * What is set here is looked at by a tick that may as well be a moment later. But for one place, where the order counts:
 * who ends a request and then sees no stop is seen by the stop as idle.
 */
static void set_state(struct connection *connection, enum state state)
{
	atomic_store_explicit(&connection->state, state, memory_order_release);
}

static void set_deadline(struct connection *connection, int64_t deadline_ms)
{
	atomic_store_explicit(&connection->deadline_ms, deadline_ms, memory_order_release);
}

void connection_head_begins(struct connection *connection)
{
	/* Of the first request the deadline runs since accept. */
	if (atomic_load_explicit(&connection->state, memory_order_relaxed) != IDLE)
		return;
	set_deadline(connection, monotonic_about_ms() + HEAD_DEADLINE_MS);
	set_state(connection, HEAD);
}

void connection_head_complete(struct connection *connection, bool expects_body)
{
	set_state(connection, BUSY);
	set_deadline(connection, expects_body ? monotonic_now_ms() + BODY_DEADLINE_MS : NO_DEADLINE);
}

void connection_body_complete(struct connection *connection)
{
	set_deadline(connection, NO_DEADLINE);
}

void connection_sends(struct connection *connection, size_t size)
{
	int64_t more_ms = (int64_t)(size / SEND_SECOND_BYTES) * 1000;

	set_deadline(connection, monotonic_about_ms() + SEND_DEADLINE_MS + more_ms);
}

void connection_follows(struct connection *connection)
{
	set_deadline(connection, NO_DEADLINE);
	set_state(connection, FOLLOWING);
}

void connection_upgraded(struct connection *connection)
{
	set_deadline(connection, NO_DEADLINE);
	set_state(connection, UPGRADED);
}

void connection_give(struct connection *connection, int64_t patience_ms)
{
	set_deadline(connection, monotonic_now_ms() + patience_ms);
}

void connection_owes(struct connection *connection)
{
	connection->owed = true;
}

void connection_request_done(struct connection *connection)
{
	atomic_store_explicit(&connection->owed, false, memory_order_relaxed);
	set_deadline(connection, monotonic_about_ms() + IDLE_DEADLINE_MS);
	connection->state = IDLE;
	if (connections_stopping(connection->table))
		shutdown(connection->fd, SHUT_RD);
}

void connection_set_linger(struct connection *connection)
{
	connection->linger = true;
}

bool connections_stopping(const struct connections *connections)
{
	return atomic_load(&connections->stopping);
}

int connection_fd(const struct connection *connection)
{
	return connection->fd;
}

const struct ucred *connection_credentials(const struct connection *connection)
{
	return &connection->credentials;
}
