/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reloads.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/problems.h"
#include "events.h"
#include "gate.h"
#include "history.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "reply.h"

struct node {
	struct node *next;
	struct reload_job job;
};

struct reloads {
	const struct service *service;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
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

static void record_success(const struct service *service, const struct reload_job *job,
                           const struct rtreg_report *report)
{
	bool unchanged = rtreg_report_unchanged(report);
	uint64_t generation = rtreg_report_generation(report);
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, generation);
	history_add(service->history, generation, job->source, unchanged ? "unchanged" : "ok", NULL,
	            rtreg_report_changed_json(report));
	if (!unchanged)
		events_add(service->events, "daemon", "reload", service->host,
		           rtreg_report_attributes_json(report));
	log_warnings(report);
	log_info(unchanged ? "configuration is unchanged" : "configuration reloaded", "source", job->source,
	         "generation", number, "changed", unchanged ? NULL : rtreg_report_changed_json(report));
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

static void record_failure(const struct service *service, const struct reload_job *job, int result,
                           const struct rtreg_error *error)
{
	const char *message = failure_message(result, error);
	_cleanup_text_ struct text errors = {0};

	failure_append(&errors, result, error);
	history_add(service->history, live_generation(service->registry), job->source, "failed",
	            errors.failed ? NULL : text_string(&errors), NULL);
	add_failed_event(service, message);
	log_error("reload failed, the configuration stays as it was", "source", job->source, "error",
	          message);
	for (size_t i = 0; error->more && i < error->more->count; i++)
		log_error("reload failed, further error", "source", job->source, "error",
		          error->more->errors[i].message);
}

static void run(const struct service *service, const struct reload_job *job)
{
	struct rtreg_source source = {.bytes = job->bytes, .size = job->size};
	_cleanup_error_ struct rtreg_error error = {0};
	struct rtreg_report *report = NULL;
	int64_t began_ns = statistics_now_ns();
	bool dry_run = job->flags & RTREG_RELOAD_DRY_RUN, recorded;
	int rc;

	notify_reload_begins(dry_run);
	rc = rtreg_reload_if(service->registry, job->size > 0 ? &source : NULL, job->flags,
	                     job->if_generation, &report, &error);
	metrics_reload(service->metrics, statistics_now_ns() - began_ns);
	/* Neither a question nor one whose condition did not hold was a reload. */
	recorded = !dry_run && rc != -ESTALE;
	if (recorded && rc == 0)
		record_success(service, job, report);
	else if (recorded)
		record_failure(service, job, rc, &error);
	gate_open(service->gate);
	notify_reload_ends(recorded ? live_generation(service->registry) : 0,
	                   rc == 0 ? NULL : failure_message(rc, &error));
	if (job->done)
		job->done(job->context, rc, report, &error);
	rtreg_report_free(report);
}

static void cancel(const struct reload_job *job)
{
	struct rtreg_error error = {.code = -ECANCELED, .message = "the daemon is shutting down"};

	if (job->done)
		job->done(job->context, -ECANCELED, NULL, &error);
}

/* Waits for the next job; NULL when the queue has stopped and is empty. */
static struct node *next_node(struct reloads *reloads, bool *ret_stopping)
{
	struct node *node;

	pthread_mutex_lock(&reloads->lock);
	while (!reloads->first && !reloads->stopping)
		pthread_cond_wait(&reloads->wake, &reloads->lock);
	node = reloads->first;
	if (node) {
		reloads->first = node->next;
		if (!reloads->first)
			reloads->last = &reloads->first;
	}
	*ret_stopping = reloads->stopping;
	pthread_mutex_unlock(&reloads->lock);
	return node;
}

static void *thread_main(void *context)
{
	struct reloads *reloads = context;
	struct node *node;
	bool stopping;

	while ((node = next_node(reloads, &stopping))) {
		if (stopping)
			cancel(&node->job);
		else
			run(reloads->service, &node->job);
		free(node);
	}
	return NULL;
}

int reloads_new(const struct service *service, struct reloads **ret)
{
	struct reloads *reloads = calloc(1, sizeof(*reloads));
	int rc;

	if (!reloads)
		return -ENOMEM;
	reloads->service = service;
	reloads->last = &reloads->first;
	pthread_mutex_init(&reloads->lock, NULL);
	pthread_cond_init(&reloads->wake, NULL);
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
	free(reloads);
}

static int append(struct reloads *reloads, const struct reload_job *job, bool once)
{
	struct node *node = malloc(sizeof(*node));
	bool wanted = true;
	int rc = 0;

	if (!node)
		return -ENOMEM;
	*node = (struct node){.job = *job};
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

void reloads_signal(struct reloads *reloads)
{
	int rc = append(reloads, &(struct reload_job){.source = "signal"}, true);

	if (rc == -ENOMEM)
		log_error("a reload asked for by signal was lost: out of memory");
}
