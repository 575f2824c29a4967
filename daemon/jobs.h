/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What each kind of job asks of the registry, and what is known of the files meanwhile (docs/watch.md).
 * Context: the queue's thread.
 */
#ifndef RTREGD_JOBS_H
#define RTREGD_JOBS_H

#include "reloads.h"
#include "seen.h"

/*
 * Whether a job of the watch would find nothing new. `seen` is what the files were before the last reload that
 * read them.
 */
bool job_is_needless(const struct reload_job *job, const char *config_file, const struct seen *seen);

/* Does it. Returns what the registry said; `seen` is brought up to date. */
int job_run(const struct reload_job *job, const struct service *service, struct seen *seen,
            struct rtreg_report **ret, struct rtreg_error *error);

#endif
