/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon as a whole: what its parts share, and its life from start to stop. */
#ifndef RTREGD_SERVICE_H
#define RTREGD_SERVICE_H

#include <limits.h>
#include <stdint.h>

#include "base/turns.h"
#include "options.h"

struct connections;
struct crew;
struct diagnostic;
struct events;
struct gate;
struct history;
struct metrics;
struct rejected;
struct reloads;
struct server;
struct sharing;
struct trial;
struct watch;

/* Written while starting and stopping alone; the parts guard themselves. */
struct service {
	const struct options *options;
	char *config_file, *state_dir; /* absolute */
	struct rtreg *registry;
	struct history *history;
	struct events *events;
	struct gate *gate;
	struct sharing *sharing;
	struct metrics *metrics;
	struct rejected *rejected;
	struct trial *trial;
	struct reloads *reloads;
	struct crew *changers, *readers; /* handlers that block */
	struct turns lock_ins;           /* by container: a change of its lock-in, and the event of it */
	struct watch *watch;             /* NULL with --no-watch */
	struct diagnostic *diagnostic;
	struct connections *connections;
	struct server *server;
	int64_t started_ns, started_ms; /* wall clock; monotonic */
	char host[HOST_NAME_MAX + 1];
};

/*
 * Runs until a signal ends it. Errors: what keeps it from starting. Context: the first thread, before there
 * are others.
 */
int service_run(const struct options *options, struct rtreg_error *error);

#endif
