/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queue through which all reloads, changes and confirmations go: one thread does them in the order in
 * which they came, whoever asked, and writes down what came of each (history, events, log, status). The
 * reload that goes back, where a confirmation did not come in time, it puts there by itself.
 */
#ifndef RTREGD_RELOADS_H
#define RTREGD_RELOADS_H

#include "rtreg/rtreg.h"
#include "service.h"

struct reloads;
struct seen;

enum job_kind { JOB_RELOAD, JOB_CHANGE, JOB_CONFIRM, JOB_REVERT };

/* What came of a job. */
struct outcome {
	int result;                        /* 0, what the registry said, or -ECANCELED: the daemon stops */
	const struct rtreg_report *report; /* NULL on failure, and of a confirmation */
	const struct rtreg_error *error;
};

/* Called once for each job that was taken, from the queue's thread. The outcome is valid until it returns. */
typedef void (*job_done_fn)(void *context, const struct outcome *outcome);

struct reload_job {
	enum job_kind kind;
	const char *source; /* "api", "signal", "watch"; a literal */
	const void *bytes;  /* not copied: valid until `done` is called; size 0: the files */
	size_t size;
	unsigned flags;
	uint64_t if_generation; /* 0: any */
	unsigned confirm_s;     /* with RTREG_RELOAD_TRIAL: how long to wait for the confirmation; else 0 */
	struct rtreg_change change; /* of JOB_CHANGE; what it points to as `bytes` */
	job_done_fn done;           /* NULL: nobody waits */
	void *context;
};

/*
 * Starts the thread. Registry, history, events, gate, trial and rejected of `service` are there already.
 * `seen` is what the files were before they were read at the start; it is taken. -ENOMEM, -EAGAIN.
 */
int reloads_new(const struct service *service, struct seen *seen, struct reloads **ret);
/* Waits for the job under way, cancels the others, and frees. NULL is allowed. */
void reloads_free(struct reloads *reloads);
/* As reloads_free(), without the freeing: what is submitted later is refused. */
void reloads_stop(struct reloads *reloads);

/* Queues a copy of *job. -ENOMEM; -ECANCELED: the daemon stops. Then `done` is not called. */
int reloads_submit(struct reloads *reloads, const struct reload_job *job);
/* A reload from the files without anybody waiting for it; one that still waits stands for this one too. */
void reloads_signal(struct reloads *reloads);
/* The same for files that may have changed; it is done only if they have. */
void reloads_watch(struct reloads *reloads);

/* Context: any thread. */
uint64_t live_generation(struct rtreg *registry);

#endif
