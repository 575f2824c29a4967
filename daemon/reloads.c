/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reloads.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "events.h"
#include "gate.h"
#include "history.h"
#include "jobs.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "rejected.h"
#include "reply.h"
#include "seen.h"
#include "timestamp.h"
#include "trial.h"

/* How the library writes the member of a report. */
#define COMMIT_ERRORS "\"commit-errors\":["

struct node {
	struct node *next;
	int64_t queued_ms;
	struct reload_job job;
};

struct reloads {
	const struct service *service;
	struct seen seen;     /* the files before the last reload that read them; the thread's alone */
	char *revert_failure; /* what the last attempt to go back failed with; the thread's alone */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* of the monotonic clock */
	struct node *first, **last;
	bool stopping, joined;
};

uint64_t live_generation(struct rtreg *registry)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t generation = rtreg_snapshot_generation(snapshot);

	rtreg_unpin(snapshot);
	return generation;
}

static void log_warnings(const struct rtreg_report *report)
{
	const char *warning;

	for (size_t i = 0; (warning = rtreg_report_warning(report, i)); i++)
		log_warn(warning);
}

/* Nobody else reads the report of a reload that nobody waits for. */
static void log_commit_errors(const struct rtreg_report *report, const char *source)
{
	const char *json = rtreg_report_json(report), *found = strstr(json, COMMIT_ERRORS);
	_cleanup_text_ struct text errors = {0};

	/* The last member; within strings quotes are escaped. */
	if (!found || found[strlen(COMMIT_ERRORS)] == ']')
		return;
	found += strlen(COMMIT_ERRORS) - strlen("[");
	text_append_n(&errors, found, strlen(found) - strlen("}"));
	if (!errors.failed)
		log_error("what comes after a reload has failed", "source", source, "errors",
		          text_string(&errors));
}

/* The attributes of a reload's event, and the generation. */
static void add_revert_event(const struct service *service, const char *generation, const char *attributes)
{
	_cleanup_text_ struct text text = {0};

	json_open(&text, '{');
	json_member_string(&text, "generation", generation);
	text_append_char(&text, ',');
	text_append(&text, attributes + strlen("{"));
	events_add(service->events, "daemon", "revert", service->host,
	           text.failed ? "{}" : text_string(&text));
}

static const char *success_text(const struct reload_job *job, bool unchanged)
{
	if (job->kind == JOB_REVERT)
		return "no confirmation came: the configuration before is live again";
	return unchanged ? "configuration is unchanged" : "configuration reloaded";
}

static void record_success(const struct service *service, const struct reload_job *job,
                           const struct rtreg_report *report)
{
	bool unchanged = rtreg_report_unchanged(report);
	uint64_t generation = rtreg_report_generation(report);
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, generation);
	history_add(service->history, generation, job->source, unchanged ? "unchanged" : "ok", NULL,
	            rtreg_report_changed_json(report));
	/* Going back says nothing about what was refused meanwhile. */
	if (job->kind != JOB_REVERT)
		rejected_clear(service->rejected);
	if (job->kind == JOB_REVERT)
		add_revert_event(service, number, rtreg_report_attributes_json(report));
	else if (!unchanged)
		events_add(service->events, "daemon", "reload", service->host,
		           rtreg_report_attributes_json(report));
	log_warnings(report);
	log_commit_errors(report, job->source);
	log_entry(job->kind == JOB_REVERT ? RTREG_LOG_WARN : RTREG_LOG_INFO, success_text(job, unchanged),
	          "source", job->source, "generation", number, "changed",
	          unchanged ? NULL : rtreg_report_changed_json(report), NULL);
}

static void add_failed_event(const struct service *service, const char *message)
{
	_cleanup_text_ struct text attributes = {0};

	json_open(&attributes, '{');
	json_member_string(&attributes, "error", message);
	json_member_string(&attributes, "name", service->host);
	json_close(&attributes, '}');
	events_add(service->events, "daemon", "reload-failed", service->host,
	           attributes.failed ? "{}" : text_string(&attributes));
}

/*
 * Whether a configuration was refused. Busy readers and lack of memory say nothing about it; and a change that
 * was refused is nowhere, so there is nothing to be mended.
 */
static bool is_rejected(const struct reload_job *job, int result)
{
	return job->kind == JOB_RELOAD && result != -EBUSY && result != -ENOMEM;
}

static void record_failure(const struct service *service, const struct reload_job *job, int result,
                           const struct rtreg_error *error)
{
	const char *message = failure_message(result, error);
	_cleanup_text_ struct text errors = {0};

	failure_append(&errors, result, error);
	history_add(service->history, live_generation(service->registry), job->source, "failed",
	            errors.failed ? NULL : text_string(&errors), NULL);
	if (is_rejected(job, result))
		rejected_set(service->rejected, job->source, errors.failed ? "[]" : text_string(&errors));
	add_failed_event(service, message);
	log_error("reload failed, the configuration stays as it was", "source", job->source, "error",
	          message);
	for (size_t i = 0; error->more && i < error->more->count; i++)
		log_error("reload failed, further error", "source", job->source, "error",
		          error->more->errors[i].message);
}

static void set_revert_failure(struct reloads *reloads, const char *message)
{
	free(reloads->revert_failure);
	reloads->revert_failure = message ? strdup(message) : NULL;
}

/* Going back is tried again and again; the same failure is told once. */
static bool is_old_failure(struct reloads *reloads, const struct reload_job *job,
                           const struct outcome *outcome)
{
	const char *message = failure_message(outcome->result, outcome->error);

	if (job->kind != JOB_REVERT)
		return false;
	if (reloads->revert_failure && strcmp(message, reloads->revert_failure) == 0)
		return true;
	set_revert_failure(reloads, message);
	return false;
}

/* Whether it is to read or publish a configuration; not so a confirmation, or a question. */
static bool is_reload(const struct reload_job *job)
{
	return job->kind != JOB_CONFIRM && !(job->flags & RTREG_RELOAD_DRY_RUN);
}

static void log_confirmation(const struct reload_job *job, const struct outcome *outcome)
{
	if (outcome->result == 0)
		log_info("configuration confirmed", "source", job->source);
	else if (outcome->result != -ESRCH)
		log_error("confirmation failed", "error", failure_message(outcome->result, outcome->error));
}

/* Returns whether there was a reload to tell of. */
static bool record(struct reloads *reloads, const struct reload_job *job, const struct outcome *outcome)
{
	int rc = outcome->result;

	if (job->kind == JOB_CONFIRM)
		log_confirmation(job, outcome);
	/* One whose condition did not hold was no reload. -ESRCH: there was nothing to do. */
	if (!is_reload(job) || rc == -ESTALE || (rc == -ESRCH && job->kind != JOB_RELOAD))
		return false;
	if (rc == 0)
		record_success(reloads->service, job, outcome->report);
	else if (!is_old_failure(reloads, job, outcome))
		record_failure(reloads->service, job, rc, outcome->error);
	return true;
}

static void run(struct reloads *reloads, const struct reload_job *job)
{
	const struct service *service = reloads->service;
	_cleanup_error_ struct rtreg_error error = {0};
	struct rtreg_report *report = NULL;
	struct outcome outcome = {.error = &error};
	int64_t began_ns = statistics_now_ns();
	bool recorded;

	if (job_is_needless(job, service->config_file, &reloads->seen)) {
		log_debug("the files are as they were when last read", "source", job->source);
		return;
	}
	notify_reload_begins(!is_reload(job));
	outcome.result = job_run(job, service, &reloads->seen, &report, &error);
	outcome.report = report;
	if (job->kind != JOB_CONFIRM)
		metrics_reload(service->metrics, statistics_now_ns() - began_ns);
	trial_update(service->trial, outcome.result == 0 ? job->confirm_s : 0);
	if (job->kind == JOB_REVERT && outcome.result < 0)
		trial_postpone(service->trial);
	if (trial_due_ms(service->trial) == TRIAL_NEVER)
		set_revert_failure(reloads, NULL);
	/* One that failed before its last step has left it open. */
	gate_close(service->gate);
	recorded = record(reloads, job, &outcome);
	gate_open(service->gate);
	notify_reload_ends(recorded ? live_generation(service->registry) : 0,
	                   outcome.result == 0 ? NULL : failure_message(outcome.result, &error));
	if (job->done)
		job->done(job->context, &outcome);
	rtreg_report_free(report);
	/* What reading took; what is kept is in mappings of its own. An engine's heap would be its own affair. */
	malloc_trim(0);
}

static void cancel(const struct reload_job *job)
{
	struct rtreg_error error = {.code = -ECANCELED, .message = "the daemon is shutting down"};
	struct outcome outcome = {.result = -ECANCELED, .error = &error};

	if (job->done)
		job->done(job->context, &outcome);
}

/* --- the queue */

static void wait_until(struct reloads *reloads, int64_t due_ms)
{
	struct timespec until = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * NS_PER_MS};

	if (due_ms == TRIAL_NEVER)
		pthread_cond_wait(&reloads->wake, &reloads->lock);
	else
		pthread_cond_timedwait(&reloads->wake, &reloads->lock, &until);
}

/* What came before the deadline is done before it, however long it has waited: it may be the confirmation. */
static bool is_due(const struct reloads *reloads, int64_t due_ms)
{
	return monotonic_now_ms() >= due_ms && (!reloads->first || reloads->first->queued_ms > due_ms);
}

/*
 * Waits for the next job, or for the time to go back, which makes one. False when the queue has stopped and
 * is empty. Context: the queue's thread.
 */
static bool next_job(struct reloads *reloads, struct reload_job *ret, bool *ret_stopping)
{
	int64_t due_ms = trial_due_ms(reloads->service->trial);
	struct node *node = NULL;
	bool found = true;

	pthread_mutex_lock(&reloads->lock);
	while (!reloads->first && !reloads->stopping && !is_due(reloads, due_ms))
		wait_until(reloads, due_ms);
	*ret_stopping = reloads->stopping;
	if (!reloads->stopping && is_due(reloads, due_ms)) {
		*ret = (struct reload_job){.kind = JOB_REVERT, .source = "revert"};
	} else if (reloads->first) {
		node = reloads->first;
		*ret = node->job;
		reloads->first = node->next;
		if (!reloads->first)
			reloads->last = &reloads->first;
	} else {
		found = false;
	}
	pthread_mutex_unlock(&reloads->lock);
	free(node);
	return found;
}

static void *thread_main(void *context)
{
	struct reloads *reloads = context;
	struct reload_job job;
	bool stopping;

	while (next_job(reloads, &job, &stopping)) {
		if (stopping)
			cancel(&job);
		else
			run(reloads, &job);
	}
	return NULL;
}

static void init_locks(struct reloads *reloads)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&reloads->lock, NULL);
	pthread_cond_init(&reloads->wake, &attributes);
	pthread_condattr_destroy(&attributes);
}

int reloads_new(const struct service *service, struct seen *seen, struct reloads **ret)
{
	struct reloads *reloads = calloc(1, sizeof(*reloads));
	int rc;

	if (!reloads)
		return -ENOMEM;
	reloads->service = service;
	reloads->last = &reloads->first;
	reloads->seen = *seen;
	*seen = (struct seen){0};
	init_locks(reloads);
	rc = pthread_create(&reloads->thread, NULL, thread_main, reloads);
	if (rc != 0) {
		reloads->joined = true;
		reloads_free(reloads);
		return -rc;
	}
	pthread_setname_np(reloads->thread, "rtregd-reload");
	*ret = reloads;
	return 0;
}

void reloads_stop(struct reloads *reloads)
{
	if (reloads->joined)
		return;
	pthread_mutex_lock(&reloads->lock);
	reloads->stopping = true;
	pthread_cond_signal(&reloads->wake);
	pthread_mutex_unlock(&reloads->lock);
	pthread_join(reloads->thread, NULL);
	reloads->joined = true;
}

void reloads_free(struct reloads *reloads)
{
	if (!reloads)
		return;
	reloads_stop(reloads);
	pthread_cond_destroy(&reloads->wake);
	pthread_mutex_destroy(&reloads->lock);
	seen_fini(&reloads->seen);
	free(reloads->revert_failure);
	free(reloads);
}

static int append(struct reloads *reloads, const struct reload_job *job, bool once)
{
	struct node *node = malloc(sizeof(*node));
	bool wanted = true;
	int rc = 0;

	if (!node)
		return -ENOMEM;
	*node = (struct node){.queued_ms = monotonic_now_ms(), .job = *job};
	pthread_mutex_lock(&reloads->lock);
	for (struct node *at = reloads->first; once && at; at = at->next)
		wanted = wanted && strcmp(at->job.source, job->source) != 0;
	if (reloads->stopping)
		rc = -ECANCELED;
	if (rc == 0 && wanted) {
		*reloads->last = node;
		reloads->last = &take(node)->next;
		pthread_cond_signal(&reloads->wake);
	}
	pthread_mutex_unlock(&reloads->lock);
	free(node);
	return rc;
}

int reloads_submit(struct reloads *reloads, const struct reload_job *job)
{
	return append(reloads, job, false);
}

static void append_once(struct reloads *reloads, const char *source)
{
	int rc = append(reloads, &(struct reload_job){.kind = JOB_RELOAD, .source = source}, true);

	if (rc == -ENOMEM)
		log_error("a reload was lost: out of memory", "source", source);
}

void reloads_signal(struct reloads *reloads)
{
	append_once(reloads, "signal");
}

void reloads_watch(struct reloads *reloads)
{
	append_once(reloads, "watch");
}
