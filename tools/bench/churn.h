/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A registry that is reloaded every millisecond, on a processor behind those of the readers: each time with another
 * label, so that a generation follows a generation.
 */
#ifndef RTREG_BENCH_CHURN_H
#define RTREG_BENCH_CHURN_H

#include <stdatomic.h>

#include "bench/readers.h"

struct churn {
	struct bench *bench;
	struct world world;
	struct readers readers;
	struct text configurations[2];
	pthread_t writer;
	atomic_bool stop;
	int error; /* of a reload */
	unsigned long reloads;
};

/* A world of its own with readers of that flavour. -ENOMEM …; churn_fini() after a failure too. */
int churn_init(struct churn *churn, struct bench *bench, const struct rcu_flavor_struct *flavor,
               struct rtreg_error *error);
void churn_fini(struct churn *churn);
/* The reloads begin, and end; the second returns the error of a reload that failed. */
int churn_begin(struct churn *churn, unsigned readers);
int churn_end(struct churn *churn);

#endif
