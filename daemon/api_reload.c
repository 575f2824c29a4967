/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/reload and /v1/confirm, and the changes that last: queued, with the connection suspended until
 * their turn has come and gone.
 */
#include <errno.h>
#include <string.h>

#include "base/json_write.h"
#include "reloads.h"
#include "routes.h"
#include "service.h"
#include "trial.h"

/* How the library writes the member of a report. */
#define WARNINGS "\"warnings\":["

/*
 * True or false in *ret, which stays without the argument. False: the argument was bad, and `request` is
 * answered.
 */
static bool read_switch(struct request *request, const char *name, bool *ret)
{
	_cleanup_free_ char *value = NULL;
	int rc = uri_argument(&request->uri, name, &value);

	if (rc == -ENOENT)
		return true;
	if (rc == -ENOMEM) {
		reply_message(&request->reply, 500, "out of memory");
		return false;
	}
	if (rc < 0 || (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)) {
		reply_message(&request->reply, 400, "invalid %s: want true or false, not '%s'", name,
		              value ? value : "");
		return false;
	}
	*ret = strcmp(value, "true") == 0;
	return true;
}

/*
 * If-Match: N or "N" or *. *ret_generation is 0 for any. A number that no generation can have is one past all
 * of them: it matches none.
 */
static bool read_if_match(struct request *request, uint64_t *ret_generation)
{
	const char *value = request->if_match;
	size_t length = value ? strlen(value) : 0;

	if (!value || strcmp(value, "*") == 0)
		return true;
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		value++;
		length -= 2;
	}
	if (length == 0 || strspn(value, "0123456789") != length) {
		reply_message(&request->reply, 400, "invalid If-Match: want a generation, not %s",
		              request->if_match);
		return false;
	}
	*ret_generation = strtoull(value, NULL, 10);
	if (*ret_generation == 0)
		*ret_generation = UINT64_MAX;
	return true;
}

/* confirm=SECONDS; *ret stays without it. False: as read_switch(). */
static bool read_confirm(struct request *request, unsigned *ret)
{
	_cleanup_free_ char *value = NULL;
	int rc = uri_argument(&request->uri, "confirm", &value);
	unsigned long seconds = 0;

	if (rc == -ENOENT)
		return true;
	if (rc == -ENOMEM) {
		reply_message(&request->reply, 500, "out of memory");
		return false;
	}
	if (rc == 0 && strspn(value, "0123456789") == strlen(value))
		seconds = strtoul(value, NULL, 10);
	if (seconds == 0 || seconds > TRIAL_MAX_S) {
		reply_message(&request->reply, 400, "invalid confirm: want 1 to %d seconds, not '%s'",
		              TRIAL_MAX_S, value ? value : "");
		return false;
	}
	*ret = (unsigned)seconds;
	return true;
}

static unsigned status_of(int result)
{
	switch (result) {
	case -EINVAL:
	case -ENOENT:
	case -ENOTDIR:
	case -EISDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EFBIG:
	case -EACCES:
		return 400;
	case -ESRCH:
		return 404;
	case -ESTALE:
		return 412;
	case -EBUSY:
	case -ECANCELED:
		return 503;
	default:
		return 500;
	}
}

/* The report, with one warning more. */
static void append_report(struct text *body, const struct rtreg_report *report, const char *warning)
{
	const char *json = rtreg_report_json(report), *at = json, *found;

	/* Within strings quotes are escaped, and behind the report's own warnings there is nothing but strings. */
	while (warning && (found = strstr(at, WARNINGS)))
		at = found + strlen(WARNINGS);
	text_append_n(body, json, (size_t)(at - json));
	if (at > json) {
		json_string(body, warning);
		text_append(body, *at == ']' ? "" : ",");
	}
	text_append(body, at);
}

/* As append_report(), and until when the configuration has to be confirmed. */
static void append_trial_report(struct text *body, const struct rtreg_report *report, struct trial *trial)
{
	const char *json = rtreg_report_json(report);

	text_append_n(body, json, strlen(json) - strlen("}"));
	json_key(body, "confirm");
	trial_append(trial, body);
	json_close(body, '}');
}

/* Context: the queue's thread. */
static void reload_done(void *context, const struct outcome *outcome)
{
	struct request *request = context;
	struct reply *reply = &request->reply;
	struct trial *trial = request->service->trial;
	bool on_trial = trial_due_ms(trial) != TRIAL_NEVER;

	if (outcome->result < 0) {
		reply_failure(reply, status_of(outcome->result), outcome->result, outcome->error);
		reply->generation = live_generation(request->service->registry);
	} else {
		_cleanup_free_ char *warning = NULL;

		reply->status = 200;
		reply->generation = rtreg_report_generation(outcome->report);
		if (on_trial && request->confirms) {
			append_trial_report(&reply->body, outcome->report, trial);
		} else {
			warning = trial_warning(trial);
			append_report(&reply->body, outcome->report, warning);
		}
	}
	request_resume(request);
}

/* Context: the queue's thread. */
static void confirm_done(void *context, const struct outcome *outcome)
{
	struct request *request = context;

	if (outcome->result == 0)
		request->reply.status = 204;
	else
		reply_failure(&request->reply, outcome->result == -ESRCH ? 409 : status_of(outcome->result),
		              outcome->result, outcome->error);
	request->reply.generation = live_generation(request->service->registry);
	request_resume(request);
}

/* Queues a job whose `done` answers `request`. */
static void submit(struct request *request, struct reload_job *job)
{
	int rc;

	job->source = "api";
	job->context = request;
	request_suspend(request);
	rc = reloads_submit(request->service->reloads, job);
	if (rc < 0) {
		struct rtreg_error error = {.code = rc};

		job->done(request, &(struct outcome){.result = rc, .error = &error});
	}
}

void api_reload(struct request *request)
{
	struct reload_job job = {
	        .kind = JOB_RELOAD,
	        .bytes = request->body.data,
	        .size = request->body.length,
	        .done = reload_done,
	};
	bool dry_run = false, force = false;

	if (!read_switch(request, "dry-run", &dry_run) || !read_switch(request, "force", &force) ||
	    !read_confirm(request, &job.confirm_s) || !read_if_match(request, &job.if_generation))
		return;
	if (dry_run && job.confirm_s > 0) {
		reply_message(&request->reply, 400, "a dry run changes nothing that could be confirmed");
		return;
	}
	request->confirms = job.confirm_s > 0;
	job.flags = (dry_run ? RTREG_RELOAD_DRY_RUN : 0) | (force ? RTREG_RELOAD_FORCE : 0) |
	            (job.confirm_s > 0 ? RTREG_RELOAD_TRIAL : 0);
	submit(request, &job);
}

void api_confirm(struct request *request)
{
	submit(request, &(struct reload_job){.kind = JOB_CONFIRM, .done = confirm_done});
}

static void change(struct request *request, enum rtreg_change_kind kind, const char *name)
{
	struct reload_job job = {
	        .kind = JOB_CHANGE,
	        .change = {.kind = kind,
	                   .name = name,
	                   .entry = request->body.data,
	                   .entry_size = request->body.length},
	        .done = reload_done,
	};

	if (read_if_match(request, &job.if_generation))
		submit(request, &job);
}

void api_put_runtime(struct request *request)
{
	change(request, RTREG_PUT_RUNTIME, request->segment);
}

void api_remove_runtime(struct request *request)
{
	change(request, RTREG_REMOVE_RUNTIME, request->segment);
}

/* The body is the library's to read. */
void api_set_default_runtime(struct request *request)
{
	change(request, RTREG_SET_DEFAULT, NULL);
}
