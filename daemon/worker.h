/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request thread: it drives one daemon of the HTTP library, and is the only one to call it. Others hand it what it is
 * to do: take over a connection, resume one, look at its streams. The library does not wait by itself: after each full batch of 128 events
 * it would wait for more before it serves those it has.
 */
#ifndef RTREGD_WORKER_H
#define RTREGD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "connections.h"
#include "kept.h"
#include "mappers.h"
#include "stream.h"

struct MHD_Connection;
struct MHD_Daemon;
struct request;
struct service;

/* A descriptor to take over, a connection to resume, or what else there is to do. */
struct message {
	int fd;
	struct MHD_Connection *suspended;
};

/* Each connection has one message at most, and so have the word that something has happened, and the end. */
#define MESSAGES_MAX (CONNECTIONS_MAX + 2)

struct worker {
	struct service *service;
	struct MHD_Daemon *http;
	int epoll_fd;
	int message_fd; /* an eventfd: there are messages */
	pthread_mutex_t lock;
	struct message messages[MESSAGES_MAX]; /* a ring, under the lock */
	size_t first_message, message_count;
	struct streams streams;
	struct kept kept;
	struct mappers mappers;
	struct request *spare; /* memory for the next one, or NULL */
	size_t column;         /* of metrics.h; the main loop's is the first */
	atomic_bool told;      /* that something has happened, and has not looked yet */
	pthread_t thread;
};

/* Starts the thread. On success `http` belongs to the worker. -EMFILE, -EAGAIN, -ENOMEM. */
int worker_start(struct worker *worker, struct service *service, struct MHD_Daemon *http);
/* Ends the thread once it has done what it was handed, then cuts what is still connected. */
void worker_stop(struct worker *worker);
/* Hands a connection over; takes `fd`. Context: the main loop. */
void worker_take(struct worker *worker, int fd);
/* Has a suspended connection resumed. Context: any thread, once for each suspension. */
void worker_resume(struct worker *worker, struct MHD_Connection *suspended);
/* Has it look at its streams, and for connections past their deadline. Context: any thread. */
void worker_tell(struct worker *worker);

#endif
