/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* POST /v1/reload: queued, with the connection suspended until its turn has come and gone. */
#include <errno.h>
#include <string.h>

#include "base/json_write.h"
#include "reloads.h"
#include "routes.h"
#include "service.h"

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
	case -ESTALE:
		return 412;
	case -EBUSY:
	case -ECANCELED:
		return 503;
	default:
		return 500;
	}
}

/* Context: the queue's thread. */
static void reload_done(void *context, int result, const struct rtreg_report *report,
                        const struct rtreg_error *error)
{
	struct request *request = context;
	struct reply *reply = &request->reply;

	if (result < 0) {
		reply_failure(reply, status_of(result), result, error);
		reply->generation = live_generation(request->service->registry);
	} else {
		reply->status = 200;
		reply->generation = rtreg_report_generation(report);
		json_raw(&reply->body, rtreg_report_json(report));
	}
	request_resume(request);
}

void api_reload(struct request *request)
{
	struct reload_job job = {
	        .source = "api",
	        .bytes = request->body.data,
	        .size = request->body.length,
	        .done = reload_done,
	        .context = request,
	};
	bool dry_run = false, force = false;
	int rc;

	if (!read_switch(request, "dry-run", &dry_run) || !read_switch(request, "force", &force) ||
	    !read_if_match(request, &job.if_generation))
		return;
	job.flags = (dry_run ? RTREG_RELOAD_DRY_RUN : 0) | (force ? RTREG_RELOAD_FORCE : 0);
	request_suspend(request);
	rc = reloads_submit(request->service->reloads, &job);
	if (rc < 0) {
		struct rtreg_error error = {.code = rc};

		reload_done(request, rc, NULL, &error);
	}
}
