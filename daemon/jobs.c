/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jobs.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

typedef int (*job_fn)(const struct reload_job *job, const struct service *service, struct seen *seen,
                      struct rtreg_report **ret, struct rtreg_error *error);

bool job_is_needless(const struct reload_job *job, const char *config_file, const struct seen *seen)
{
	_cleanup_seen_ struct seen now = {0};

	if (strcmp(job->source, "watch") != 0)
		return false;
	return seen_look(config_file, &now) == 0 && seen_equal(&now, seen);
}

/* If there is no memory for a look, the next one finds a difference. */
static void look(const struct service *service, struct seen *seen)
{
	if (seen_look(service->config_file, seen) == 0)
		seen_wait_tick(seen);
}

static void replace(struct seen *seen, struct seen *newer)
{
	seen_fini(seen);
	*seen = *newer;
	*newer = (struct seen){0};
}

static int run_reload(const struct reload_job *job, const struct service *service, struct seen *seen,
                      struct rtreg_report **ret, struct rtreg_error *error)
{
	struct rtreg_source source = {.bytes = job->bytes, .size = job->size};
	bool from_files = job->size == 0 && !(job->flags & RTREG_RELOAD_DRY_RUN);
	_cleanup_seen_ struct seen before = {0};
	int rc;

	if (from_files)
		look(service, &before);
	rc = rtreg_reload_if(service->registry, job->size > 0 ? &source : NULL, job->flags,
	                     job->if_generation, ret, error);
	/* One whose condition did not hold has not taken what it read. */
	if (from_files && rc != -ESTALE)
		replace(seen, &before);
	return rc;
}

/*
 * The fragment that a change wrote is nothing new. What others wrote meanwhile is, unless the change has
 * succeeded and so taken it.
 */
static int run_change(const struct reload_job *job, const struct service *service, struct seen *seen,
                      struct rtreg_report **ret, struct rtreg_error *error)
{
	_cleanup_seen_ struct seen before = {0}, after = {0};
	int rc;

	look(service, &before);
	rc = rtreg_change(service->registry, &job->change, job->if_generation, ret, error);
	look(service, &after);
	if (!seen_own_equal(&before, &after))
		seen->own = after.own;
	if (rc == 0) {
		before.own = after.own;
		replace(seen, &before);
	}
	return rc;
}

static int run_confirm(const struct reload_job *job, const struct service *service, struct seen *seen,
                       struct rtreg_report **ret, struct rtreg_error *error)
{
	(void)job;
	(void)seen;
	(void)ret;
	return rtreg_confirm(service->registry, error);
}

static int run_revert(const struct reload_job *job, const struct service *service, struct seen *seen,
                      struct rtreg_report **ret, struct rtreg_error *error)
{
	(void)job;
	(void)seen;
	return rtreg_revert(service->registry, ret, error);
}

static const job_fn kinds[] = {
        [JOB_RELOAD] = run_reload,
        [JOB_CHANGE] = run_change,
        [JOB_CONFIRM] = run_confirm,
        [JOB_REVERT] = run_revert,
};

int job_run(const struct reload_job *job, const struct service *service, struct seen *seen,
            struct rtreg_report **ret, struct rtreg_error *error)
{
	return kinds[job->kind](job, service, seen, ret, error);
}
