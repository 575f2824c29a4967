/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "played.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUESTS_MAX 4096
#define REQUEST_SIZE 65536

struct played {
	struct turn *turns;
	size_t turn_count;
	int listener;
	pthread_t thread;
	pthread_mutex_t mutex; /* for all that follows */
	pthread_cond_t changed;
	size_t connections, closed, requests;
	char *texts[REQUESTS_MAX];
};

/* The length of a request whose head is complete, else 0. */
static size_t request_length(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n"), *field = strstr(text, "Content-Length: ");

	if (!end)
		return 0;
	return (size_t)(end + 4 - text) + (field && field < end ? strtoul(field + 16, NULL, 10) : 0);
}

/* One request; false if the client has left. */
static bool receive(int fd, char *text)
{
	size_t length = 0;

	text[0] = '\0';
	while (request_length(text) == 0 || length < request_length(text)) {
		ssize_t size = recv(fd, text + length, REQUEST_SIZE - 1 - length, 0);

		if (size <= 0)
			return false;
		length += (size_t)size;
		text[length] = '\0';
	}
	return true;
}

/* What to do about a request: the next turn. NULL past the last. */
static const struct turn *next_turn(struct played *played, const char *text)
{
	const struct turn *turn = NULL;

	pthread_mutex_lock(&played->mutex);
	if (played->requests < REQUESTS_MAX)
		played->texts[played->requests] = strdup(text);
	if (played->requests < played->turn_count)
		turn = &played->turns[played->requests];
	played->requests++;
	pthread_mutex_unlock(&played->mutex);
	return turn;
}

static void send_all(int fd, const char *text)
{
	for (size_t size = strlen(text); size > 0;) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

		if (sent < 0)
			return;
		text += sent;
		size -= (size_t)sent;
	}
}

static void answer(int fd, const struct turn *turn)
{
	char *reply = NULL;

	if (turn->status)
		ck_assert_int_gt(asprintf(&reply, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
		                          turn->status, strlen(turn->body), turn->body),
		                 0);
	if (reply || turn->reply)
		send_all(fd, reply ? reply : turn->reply);
	free(reply);
}

static void serve(struct played *played, int fd)
{
	char text[REQUEST_SIZE];

	while (receive(fd, text)) {
		const struct turn *turn = next_turn(played, text);

		if (!turn)
			return;
		answer(fd, turn);
		if (turn->end == TURN_CLOSE)
			return;
		while (turn->end == TURN_HOLD && recv(fd, text, sizeof(text), 0) > 0)
			;
	}
}

static void *run(void *context)
{
	struct played *played = context;

	for (;;) {
		int fd = accept4(played->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		pthread_mutex_lock(&played->mutex);
		played->connections++;
		pthread_mutex_unlock(&played->mutex);
		serve(played, fd);
		close(fd);
		pthread_mutex_lock(&played->mutex);
		played->closed++;
		pthread_cond_broadcast(&played->changed);
		pthread_mutex_unlock(&played->mutex);
	}
}

struct played *played_start(const char *path, const struct turn *turns, size_t count)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct played *played = calloc(1, sizeof(*played));

	ck_assert_ptr_nonnull(played);
	played->turns = calloc(count + 1, sizeof(*turns));
	ck_assert_ptr_nonnull(played->turns);
	for (size_t i = 0; i < count; i++)
		played->turns[i] = turns[i];
	played->turn_count = count;
	pthread_mutex_init(&played->mutex, NULL);
	pthread_cond_init(&played->changed, NULL);
	played->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(played->listener, 0);
	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	unlink(path);
	ck_assert_int_eq(bind(played->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(played->listener, 16), 0);
	ck_assert_int_eq(pthread_create(&played->thread, NULL, run, played), 0);
	return played;
}

void played_stop(struct played *played)
{
	shutdown(played->listener, SHUT_RDWR);
	pthread_join(played->thread, NULL);
	close(played->listener);
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		free(played->texts[i]);
	free(played->turns);
	pthread_cond_destroy(&played->changed);
	pthread_mutex_destroy(&played->mutex);
	free(played);
}

void played_wait_closed(struct played *played, size_t count)
{
	pthread_mutex_lock(&played->mutex);
	while (played->closed < count)
		pthread_cond_wait(&played->changed, &played->mutex);
	pthread_mutex_unlock(&played->mutex);
}

size_t played_connections(struct played *played)
{
	size_t count;

	pthread_mutex_lock(&played->mutex);
	count = played->connections;
	pthread_mutex_unlock(&played->mutex);
	return count;
}

size_t played_requests(struct played *played)
{
	size_t count;

	pthread_mutex_lock(&played->mutex);
	count = played->requests;
	pthread_mutex_unlock(&played->mutex);
	return count;
}

const char *played_request(struct played *played, size_t index)
{
	const char *text;

	pthread_mutex_lock(&played->mutex);
	text = index < played->requests && index < REQUESTS_MAX ? played->texts[index] : NULL;
	pthread_mutex_unlock(&played->mutex);
	return text ? text : "";
}
