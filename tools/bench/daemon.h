/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An rtregd to measure, on the configuration of a world: $RTREG_BENCH_RTREGD, else the one that was built or installed
 * with this program, else that of the PATH. It ends with this process.
 */
#ifndef RTREG_BENCH_DAEMON_H
#define RTREG_BENCH_DAEMON_H

#include <sys/types.h>

#include "bench/world.h"

struct bench_daemon {
	pid_t pid; /* 0: none */
	char socket[300], state[300];
};

/* Starts it, and waits until it answers. To be stopped after a failure too. -ENOENT, -ETIMEDOUT … */
int daemon_start(struct bench_daemon *daemon, const struct world *world, struct rtreg_error *error);
/* Sends a request on a connection of its own; *ret is the whole reply, appended. `body` NULL: none. */
int daemon_ask(const struct bench_daemon *daemon, const char *method, const char *target, const char *body,
               struct text *ret);
void daemon_stop(struct bench_daemon *daemon);

#endif
