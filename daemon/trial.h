/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Until when a configuration on trial has to be confirmed. Whether one is on trial the registry knows; here
 * is the clock. Any thread.
 */
#ifndef RTREGD_TRIAL_H
#define RTREGD_TRIAL_H

#include <stdint.h>

#include "base/text.h"

#define TRIAL_MAX_S    86400
#define TRIAL_RETRY_MS 5000 /* between attempts to go back */
#define TRIAL_NEVER    INT64_MAX

struct rtreg;
struct trial;

/* NULL without memory. */
struct trial *trial_new(struct rtreg *registry);
void trial_free(struct trial *trial);

/*
 * Looks what a job has left: a trial that has ended has no deadline any more; one that goes on has a new one
 * where `seconds` is not 0.
 */
void trial_update(struct trial *trial, unsigned seconds);
/* Going back has failed: it is due again in a while. */
void trial_postpone(struct trial *trial);
/* When to go back, in ms of the monotonic clock; TRIAL_NEVER: nothing waits for a confirmation. */
int64_t trial_due_ms(struct trial *trial);

/* Appends {"deadline","seconds"}, or null. */
void trial_append(struct trial *trial, struct text *text);
/* Appends {"deadline","generation"}, the generation being the confirmed one; or null. */
void trial_append_status(struct trial *trial, struct text *text);
/* The warning for those who change something meanwhile, to be freed; NULL: there is no trial, or no memory. */
char *trial_warning(struct trial *trial);

#endif
