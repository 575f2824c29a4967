/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queue through which all reloads go: one thread does them in the order in which they came, whoever
 * asked, and writes down what came of each (history, events, log).
 */
#ifndef RTREGD_RELOADS_H
#define RTREGD_RELOADS_H

#include "rtreg/rtreg.h"
#include "service.h"

struct reloads;

/*
 * Called once for each job that was taken, from the queue's thread. `report` and `error` are valid until it
 * returns; `report` is NULL on failure. `result`: 0, what rtreg_reload_if() said, or -ECANCELED: the daemon
 * stops.
 */
typedef void (*reload_done_fn)(void *context, int result, const struct rtreg_report *report,
                               const struct rtreg_error *error);

struct reload_job {
	const char *source; /* "api", "signal"; a literal */
	const void *bytes;  /* not copied: valid until `done` is called; size 0: the files */
	size_t size;
	unsigned flags;
	uint64_t if_generation; /* 0: any */
	reload_done_fn done;    /* NULL: nobody waits */
	void *context;
};

/* Starts the thread. Registry, history, events and gate of `service` are there already. -ENOMEM, -EAGAIN. */
int reloads_new(const struct service *service, struct reloads **ret);
/* Waits for the reload under way, cancels the others, and frees. NULL is allowed. */
void reloads_free(struct reloads *reloads);
/* As reloads_free(), without the freeing: what is submitted later is refused. */
void reloads_stop(struct reloads *reloads);

/* Queues a copy of *job. -ENOMEM; -ECANCELED: the daemon stops. Then `done` is not called. */
int reloads_submit(struct reloads *reloads, const struct reload_job *job);
/* A reload from the files without anybody waiting for it; one that still waits stands for this one too. */
void reloads_signal(struct reloads *reloads);

/* Context: any thread. */
uint64_t live_generation(struct rtreg *registry);

#endif
