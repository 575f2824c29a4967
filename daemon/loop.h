/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main loop: accepts connections, cuts the late ones, listens to signals, and ends in order. */
#ifndef RTREGD_LOOP_H
#define RTREGD_LOOP_H

#include "service.h"
#include "socket.h"

struct loop {
	int epoll_fd, signal_fd;
	struct socket_address socket;
	bool at_once; /* a second signal came: whoever takes nothing is not waited for */
};

/*
 * Runs until SIGTERM or SIGINT, then until the requests in flight are done or the live shutdown-timeout has
 * passed. Context: the first thread.
 */
int loop_run(struct loop *loop, struct service *service, struct rtreg_error *error);

#endif
