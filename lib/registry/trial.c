/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trials while the registry runs; trial_open.c has what a start does. */
#include "registry/trial.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "registry/registry.h"

#define RECORD_MODE 0600

static int fail(const struct rtreg *registry, int code, const char *what, struct rtreg_error *error)
{
	return error_set(error, state_code(code), registry->setup.state_dir,
	                 "state directory %s: cannot %s " RECORD_FILE ": %s; %s", registry->setup.state_dir,
	                 what, fs_error_text(code), fs_error_advice(code));
}

static char *record_text(const struct rtreg *registry, const struct record *record,
                         const struct rtreg_snapshot *confirmed)
{
	/* The flags know the keys of the start, and so will the next start. */
	return record_write(record, confirmed, registry->setup.flags.keys);
}

/* Replaces the record on disk by `text`; NULL: removes it. */
static int replace(const struct rtreg *registry, const char *text, struct replacement *ret,
                   struct rtreg_error *error)
{
	int r = replace_file(ret, state_directory(registry->state), RECORD_FILE, text,
	                     text ? strlen(text) : 0, RECORD_MODE);

	return r < 0 ? fail(registry, r, text ? "write" : "remove", error) : 0;
}

int trial_replace_record(struct rtreg *registry, const char *text, const struct record *record,
                         struct rtreg_error *error)
{
	struct replacement replacement = {0};
	int r = replace(registry, text, &replacement, error);

	if (r < 0)
		return r;
	replacement_keep(&replacement);
	registry->trial.record = *record;
	return 0;
}

static void end(struct trial *trial)
{
	atomic_store(&trial->generation, 0);
	rtreg_unpin(trial->confirmed);
	trial->confirmed = NULL;
	trial->inherited = false;
}

/* --- the step of a reload --- */

static int commit_pending(void *context, struct rtreg_error *error)
{
	struct trial_step *step = context;
	struct trial *trial = &step->registry->trial;

	(void)error;
	replacement_keep(&step->replacement);
	trial->record = step->next;
	trial->inherited = step->inherits;
	if (step->pinned) {
		trial->confirmed = take(step->pinned);
		atomic_store(&trial->generation, trial->record.generation);
	}
	return 0;
}

static int rollback_pending(void *context, struct rtreg_error *error)
{
	struct trial_step *step = context;
	int r = replacement_undo(&step->replacement);

	rtreg_unpin(take(step->pinned));
	return r < 0 ? fail(step->registry, r, "put back", error) : 0;
}

/* Writes step->next, and registers what is to become of it. */
static int write_pending(struct rtreg_txn *txn, struct trial_step *step,
                         const struct rtreg_snapshot *confirmed, struct rtreg_error *error)
{
	_cleanup_free_ char *text = NULL;
	int r;

	step->next.state = RECORD_PENDING;
	step->next.generation = confirmed->head.generation;
	text = record_text(step->registry, &step->next, confirmed);
	if (!text)
		return error_no_memory(error);
	r = replace(step->registry, text, &step->replacement, error);
	if (r < 0)
		return r;
	rtreg_txn_on_commit(txn, commit_pending, step);
	rtreg_txn_on_rollback(txn, rollback_pending, step);
	return 0;
}

static int begin(struct rtreg_txn *txn, struct trial_step *step, struct rtreg_error *error)
{
	const struct record *before = &step->registry->trial.record;
	int r;

	if (input_digest(step->input, step->next.files) < 0)
		return error_no_memory(error);
	/* A body's trial does not make good the files that were reverted before. */
	step->inherits = step->next.files[0] == '\0' && before->files[0];
	if (step->inherits)
		memcpy(step->next.files, before->files, sizeof(step->next.files));
	step->pinned = rtreg_pin(step->registry);
	r = write_pending(txn, step, step->pinned, error);
	if (r < 0)
		rtreg_unpin(take(step->pinned));
	return r;
}

/* What is on trial comes from other files now; a start must know them. */
static int go_on(struct rtreg_txn *txn, struct trial_step *step, struct rtreg_error *error)
{
	const struct trial *trial = &step->registry->trial;

	if (input_digest(step->input, step->next.files) < 0)
		return error_no_memory(error);
	if (step->next.files[0] == '\0' ||
	    (!trial->inherited && strcmp(step->next.files, trial->record.files) == 0))
		return 0;
	return write_pending(txn, step, trial->confirmed, error);
}

/* The trial is over, whatever becomes of the record: one that is still pending is taken by a start too. */
static int commit_revert(void *context, struct rtreg_error *error)
{
	struct trial_step *step = context;
	_cleanup_free_ char *text = take(step->text);

	end(&step->registry->trial);
	return trial_replace_record(step->registry, text, &step->next, error);
}

static int rollback_revert(void *context, struct rtreg_error *error)
{
	struct trial_step *step = context;

	(void)error;
	free(take(step->text));
	return 0;
}

static int revert(struct rtreg_txn *txn, struct trial_step *step, struct rtreg_error *error)
{
	const struct trial *trial = &step->registry->trial;

	/* Nobody reads a request's body again. */
	if (trial->record.files[0]) {
		step->next = trial->record;
		step->next.state = RECORD_REVERTED;
		step->text = record_text(step->registry, &step->next, trial->confirmed);
		if (!step->text)
			return error_no_memory(error);
	}
	rtreg_txn_on_commit(txn, commit_revert, step);
	rtreg_txn_on_rollback(txn, rollback_revert, step);
	return 0;
}

int trial_step(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	struct trial_step *step = context;

	if (step->input->restore)
		return revert(txn, step, error);
	if (step->registry->trial.confirmed)
		return go_on(txn, step, error);
	return step->begins ? begin(txn, step, error) : 0;
}

void trial_note_reload(struct rtreg *registry, const struct input *input)
{
	static const struct record none;
	_cleanup_error_ struct rtreg_error error = {0};

	if (registry->trial.record.state == RECORD_NONE || registry->trial.confirmed || !input->configured)
		return;
	/* It stays in memory too, and the next reload tries again. */
	if (trial_replace_record(registry, NULL, &none, &error) < 0 && registry->log)
		registry->log(registry->log_context, RTREG_LOG_WARN, error.message);
}

/* --- for the engine --- */

int trial_none(struct rtreg_error *error)
{
	return error_set(error, -ESRCH, NULL, "nothing waits for a confirmation");
}

static int confirm(struct rtreg *registry, struct rtreg_error *error)
{
	struct trial *trial = &registry->trial;
	struct record next = {0};
	_cleanup_free_ char *text = NULL;
	int r;

	if (!trial->confirmed)
		return trial_none(error);
	/* A body lasts until the next start, and that is not to find what was reverted before it. */
	if (trial->inherited) {
		next = trial->record;
		next.state = RECORD_REVERTED;
		text = record_text(registry, &next, trial->confirmed);
		if (!text)
			return error_no_memory(error);
	}
	r = trial_replace_record(registry, text, &next, error);
	if (r == 0)
		end(trial);
	return r;
}

int rtreg_confirm(struct rtreg *registry, struct rtreg_error *error)
{
	bool offline;
	int r = writer_enter(registry, &offline, error);

	if (r < 0)
		return r;
	r = confirm(registry, error);
	writer_leave(registry, offline);
	return r;
}

int rtreg_revert(struct rtreg *registry, struct rtreg_report **ret, struct rtreg_error *error)
{
	struct reload_request request = {.flags = RTREG_RELOAD_FORCE};
	bool offline;
	int r = writer_enter(registry, &offline, error);

	if (r < 0)
		return r;
	/* Pinned once more: a confirmation may come before the reload. */
	request.restore = registry->trial.confirmed;
	store_pin(request.restore);
	writer_leave(registry, offline);
	if (!request.restore)
		return trial_none(error);
	r = reload_run(registry, &request, ret, error);
	rtreg_unpin(request.restore);
	return r;
}

bool rtreg_on_trial(struct rtreg *registry, uint64_t *ret_confirmed)
{
	uint64_t generation = atomic_load(&registry->trial.generation);

	if (generation != 0 && ret_confirmed)
		*ret_confirmed = generation;
	return generation != 0;
}

bool rtreg_reverted_at_open(const struct rtreg *registry)
{
	return registry->trial.at_open;
}

void trial_fini(struct trial *trial)
{
	end(trial);
}
