/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reload: docs/reload.md, in code. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "registry/registry.h"

#define ROOM_TIMEOUT_MS 5000
#define MAX_RACES \
	3 /* times that a merge is repeated because another writer was quicker, before we lock first */

int writer_lock(struct rtreg *registry, struct rtreg_error *error)
{
	if (registry->writer_thread == gettid())
		return error_set(error, -EDEADLK, NULL, "called from a step or callback of a reload");
	pthread_mutex_lock(&registry->writer);
	registry->writer_thread = gettid();
	return 0;
}

void writer_unlock(struct rtreg *registry)
{
	registry->writer_thread = 0;
	pthread_mutex_unlock(&registry->writer);
}

int writer_enter(struct rtreg *registry, bool *ret_offline, struct rtreg_error *error)
{
	const struct rcu_flavor_struct *flavor = registry->store.head.flavor;
	int r = blocking_begin(flavor, ret_offline);

	if (r < 0)
		return error_set(error, r, NULL, "called inside a reader section");
	r = writer_lock(registry, error);
	if (r < 0)
		blocking_end(flavor, *ret_offline);
	return r;
}

void writer_leave(struct rtreg *registry, bool offline)
{
	writer_unlock(registry);
	blocking_end(registry->store.head.flavor, offline);
}

int draft_probe(struct rtreg *registry, const struct draft *draft, struct input *input,
                struct problems *problems)
{
	_cleanup_free_ const char **paths = NULL;
	int64_t began_ns = statistics_now_ns();
	size_t count = 0;
	int r = derive_binaries(&draft->merged, &paths, &count);

	if (r == 0)
		r = probe_run(registry->probes, paths, count, PROBE_LIMIT_MS, problems, &input->features);
	statistics_stage(&registry->statistics, STAGE_PROBE, began_ns);
	return r;
}

/* --- what happens under the writer's lock --- */

static int state_result(int result, struct rtreg_error *error)
{
	int code = state_code(result);

	if (error && code != result)
		error->code = code;
	return code;
}

/* The step that writes the wrapper scripts of a new snapshot. */
struct scripts_step {
	struct rtreg *registry;
	const struct rtreg_snapshot *old, *sealed;
	const struct script_list *scripts;
	struct script_batch *batch;
	struct problems *problems;
};

static int discard_scripts(void *context, struct rtreg_error *error)
{
	struct scripts_step *step = context;

	(void)error;
	script_store_discard(step->registry->scripts, take(step->batch));
	return 0;
}

static int keep_scripts(void *context, struct rtreg_error *error)
{
	struct scripts_step *step = context;

	(void)error;
	script_batch_free(take(step->batch));
	return 0;
}

static int write_scripts(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	struct scripts_step *step = context;
	int r = script_store_add(step->registry->scripts, step->scripts->scripts, step->scripts->count,
	                         &step->batch, step->problems, error);

	/* What fails behind this leaves contents that are kept though they need not be; nothing else. */
	if (r == 0 && snapshot_keep_scripts(step->old, step->sealed, step->registry->scripts) < 0) {
		script_store_discard(step->registry->scripts, take(step->batch));
		r = error_no_memory(error);
	}
	if (r < 0)
		return state_result(r, error);
	rtreg_txn_on_commit(txn, keep_scripts, step);
	rtreg_txn_on_rollback(txn, discard_scripts, step);
	return 0;
}

/* The steps behind the engine's, which write files: in an unchanged reload too. */
static int prepare_files(struct rtreg_txn *txn, struct trial_step *trial, struct rtreg_error *error)
{
	struct change *change = trial->input->change;
	struct rtreg_step own = {.name = "own-drop-in", .prepare = change_step, .context = change};
	struct rtreg_step last = {.name = "trial", .prepare = trial_step, .context = trial};
	int r = change ? txn_prepare(txn, &own, error) : 0;

	return r < 0 ? r : txn_prepare(txn, &last, error);
}

static int prepare_steps(struct rtreg *registry, struct rtreg_txn *txn, struct scripts_step *scripts,
                         struct trial_step *trial, struct rtreg_error *error)
{
	struct rtreg_step first = {.name = "wrapper-scripts", .prepare = write_scripts, .context = scripts};
	int64_t at_ns = statistics_now_ns();
	int r = txn_prepare(txn, &first, error);

	at_ns = statistics_stage(&registry->statistics, STAGE_SCRIPTS, at_ns);
	for (size_t i = 0; r == 0 && i < registry->steps.count; i++) {
		r = txn_prepare(txn, &registry->steps.items[i], error);
		at_ns = statistics_step(&registry->statistics, registry->steps.items[i].name, at_ns);
	}
	return r < 0 ? r : prepare_files(txn, trial, error);
}

/* What publishing needs beside the registry. */
struct publication {
	struct rtreg_snapshot *sealed;
	const struct input *input;
	const struct script_list *scripts;
	struct problems *problems;
	struct rtreg_report *report;
	uint64_t previous;
	unsigned flags;
};

/* Steps 8 to 11. All that can fail, the report too, comes before the publication. */
static int publish(struct rtreg *registry, const struct publication *p, struct rtreg_error *error)
{
	struct scripts_step step = {.registry = registry,
	                            .old = store_live(&registry->store),
	                            .sealed = p->sealed,
	                            .scripts = p->scripts,
	                            .problems = p->problems};
	struct trial_step trial = {
	        .registry = registry, .input = p->input, .begins = p->flags & RTREG_RELOAD_TRIAL};
	uint64_t generation = p->sealed->head.generation;
	_cleanup_error_ struct rtreg_error commit_errors = {0};
	struct rtreg_snapshot *old;
	struct rtreg_txn txn;
	int64_t at_ns;
	int r;

	if (store_prepare(&registry->store, p->sealed) < 0)
		return error_no_memory(error);
	txn_begin(&txn, store_live(&registry->store), p->sealed);
	r = prepare_steps(registry, &txn, &step, &trial, error);
	if (r == 0 && report_finish(p->report, generation, p->previous, p->problems) < 0) {
		r = error_no_memory(error);
		txn_rollback(&txn, error);
	}
	if (r < 0) {
		store_forget(p->sealed);
		return r;
	}
	state_use_generation(registry->state, generation);
	at_ns = statistics_now_ns();
	old = store_publish(&registry->store, p->sealed);
	at_ns = statistics_stage(&registry->statistics, STAGE_PUBLISH, at_ns);
	txn_commit(&txn, &commit_errors);
	statistics_stage(&registry->statistics, STAGE_COMMIT, at_ns);
	report_add_commit_errors(p->report, &commit_errors);
	store_retire(&registry->store, old);
	return 0;
}

/*
 * The values are the live ones, but some come from another file, which decides what the next reload keeps: a
 * snapshot that says so takes the live one's place under its number. Nobody else has to know.
 */
static int publish_moved(struct rtreg *registry, const struct publication *p, struct rtreg_error *error)
{
	if (report_finish(p->report, p->previous, p->previous, p->problems) < 0 ||
	    store_prepare(&registry->store, p->sealed) < 0)
		return error_no_memory(error);
	p->sealed->head.generation = p->previous;
	store_retire(&registry->store, store_publish(&registry->store, p->sealed));
	return 0;
}

/* A reload that changes no value: it may have files to write all the same. */
static int settle(struct rtreg *registry, const struct publication *p, bool moves, struct rtreg_error *error)
{
	const struct rtreg_snapshot *live = store_live(&registry->store);
	struct trial_step trial = {.registry = registry, .input = p->input};
	_cleanup_error_ struct rtreg_error commit_errors = {0};
	struct rtreg_txn txn;
	int r;

	txn_begin(&txn, live, live);
	r = prepare_files(&txn, &trial, error);
	if (r < 0)
		return r;
	if (moves)
		r = publish_moved(registry, p, error);
	else if (report_finish(p->report, p->previous, p->previous, p->problems) < 0)
		r = error_no_memory(error);
	if (r < 0) {
		txn_rollback(&txn, error);
		return r;
	}
	txn_commit(&txn, &commit_errors);
	report_add_commit_errors(p->report, &commit_errors);
	return 0;
}

static struct rtreg_snapshot *seal(struct rtreg *registry, const struct input *input, struct draft *draft,
                                   uint64_t generation, struct script_list *ret_scripts)
{
	struct derive_context context = {.scripts_dir = registry->setup.scripts_dir,
	                                 .probes = registry->probes,
	                                 .answers = input->features,
	                                 .before = store_live(&registry->store)};

	int64_t began_ns = statistics_now_ns();
	struct rtreg_snapshot *sealed =
	        snapshot_seal(draft->arena, &draft->merged, &context, generation, ret_scripts);

	statistics_stage(&registry->statistics, STAGE_SEAL, began_ns);
	return sealed;
}

static int repair_scripts(struct rtreg *registry, struct problems *problems, struct rtreg_error *error)
{
	int64_t began_ns = statistics_now_ns();
	struct snapshot_scripts live = snapshot_scripts_of(store_live(&registry->store));
	int r = script_store_repair(registry->scripts, &live.source, problems, error);

	statistics_stage(&registry->statistics, STAGE_REPAIR, began_ns);
	return state_result(r, error);
}

/* What commands without a lock-in go by; the configuration is live whatever becomes of it. */
static void keep_default_runtime(struct rtreg *registry, struct rtreg_report *report,
                                 struct problems *problems)
{
	_cleanup_error_ struct rtreg_error error = {0};

	if (default_runtime_write(registry, store_live(&registry->store), &error) == 0)
		return;
	report_add_commit_errors(report, &error);
	problems_warn(problems, error.where, "%s", error.message);
}

int reload_apply(struct rtreg *registry, struct input *input, struct draft *draft, unsigned flags,
                 struct problems *problems, struct rtreg_report **ret, struct rtreg_error *error)
{
	const struct rtreg_snapshot *live = store_live(&registry->store);
	uint64_t previous = live ? live->head.generation : 0, generation = previous;
	_cleanup_(script_list_fini) struct script_list scripts = {0};
	_cleanup_report_ struct rtreg_report *report = NULL;
	struct rtreg_snapshot *sealed = NULL;
	struct publication publication;
	bool publishes, moves;
	int r = 0;

	if (!(flags & RTREG_RELOAD_DRY_RUN))
		r = state_result(state_next_generation(registry->state, &generation, error), error);
	if (r < 0)
		return r;
	sealed = seal(registry, input, draft, generation, &scripts);
	if (!sealed || report_new(draft, sealed, &report) < 0)
		return error_no_memory(error);
	if (flags & RTREG_RELOAD_FORCE)
		report->unchanged = false;
	publishes = !(flags & RTREG_RELOAD_DRY_RUN) && !report->unchanged;
	moves = !(flags & RTREG_RELOAD_DRY_RUN) && report->unchanged && draft_moved(draft);
	if (!(flags & RTREG_RELOAD_DRY_RUN))
		r = repair_scripts(registry, problems, error);
	if (r == 0 && (publishes || moves) && store_wait_room(&registry->store, ROOM_TIMEOUT_MS) < 0)
		r = error_set(error, -EBUSY, NULL,
		              "readers do not end their sections: %d superseded configurations wait",
		              STORE_MAX_WAITING);
	publication = (struct publication){.sealed = sealed,
	                                   .input = input,
	                                   .flags = flags,
	                                   .scripts = &scripts,
	                                   .problems = problems,
	                                   .report = report,
	                                   .previous = previous};
	if (r == 0 && publishes)
		r = publish(registry, &publication, error);
	else if (r == 0 && !(flags & RTREG_RELOAD_DRY_RUN))
		r = settle(registry, &publication, moves, error);
	else if (r == 0 && report_finish(report, previous, previous, problems) < 0)
		r = error_no_memory(error);
	if (r < 0)
		return r;
	if (!(flags & (RTREG_RELOAD_DRY_RUN | RTREG_RELOAD_TRIAL)))
		trial_note_reload(registry, input);
	if (publishes || moves)
		input->arena = NULL; /* it is the snapshot's now */
	if (!(flags & RTREG_RELOAD_DRY_RUN))
		keep_default_runtime(registry, report, problems);
	if (ret)
		*ret = take(report);
	return 0;
}

/* --- the whole --- */

/* One reload's parts, so that they are freed wherever it ends. */
struct attempt {
	struct problems problems;
	struct input input;
	struct draft draft;
	const struct rtreg_snapshot *base; /* pinned: what the draft was merged over */
};

static void attempt_fini(struct attempt *attempt)
{
	rtreg_unpin(attempt->base);
	input_fini(&attempt->input);
	problems_fini(&attempt->problems);
	*attempt = (struct attempt){0};
}

/*
 * Steps 1 to 4: without the lock, against the snapshot that is live now. What probes have to say goes to
 * `probed`: they say it once, and this may not be the last attempt.
 */
static int attempt_prepare(struct attempt *attempt, struct rtreg *registry,
                           const struct reload_request *request, struct problems *probed,
                           struct rtreg_error *error)
{
	int64_t began_ns = statistics_now_ns();
	const struct keyset *keys;
	int r;

	attempt->base = rtreg_pin(registry);
	/* Read behind the pin, so that it knows all keys of the snapshot; rtreg_add_key() may exchange it. */
	keys = __atomic_load_n(&registry->setup.keys, __ATOMIC_ACQUIRE);
	if (request->restore)
		r = input_restore(&attempt->input, keys, request->restore, error);
	else
		r = input_read(&attempt->input, &registry->setup, keys, request->source, request->overlay,
		               &attempt->problems, error);
	statistics_stage(&registry->statistics, STAGE_READ, began_ns);
	attempt->input.change = request->change;
	if (r == 0)
		r = draft_build(&attempt->draft, &registry->setup, &attempt->input, attempt->base,
		                &registry->statistics, &attempt->problems, error);
	if (r == 0 && !(request->flags & RTREG_RELOAD_DRY_RUN) &&
	    draft_probe(registry, &attempt->draft, &attempt->input, probed) < 0)
		r = error_no_memory(error);
	return r;
}

int reload_stale(uint64_t live, uint64_t wanted, struct rtreg_error *error)
{
	return error_set(error, -ESTALE, NULL, "the configuration is at generation %llu, not %llu",
	                 (unsigned long long)live, (unsigned long long)wanted);
}

static int reload_locked(struct attempt *attempt, struct rtreg *registry,
                         const struct reload_request *request, struct rtreg_report **ret,
                         struct rtreg_error *error)
{
	uint64_t live = store_live(&registry->store)->head.generation;

	if (request->generation != 0 && request->generation != live)
		return reload_stale(live, request->generation, error);
	if (request->restore && registry->trial.confirmed != request->restore)
		return trial_none(error);
	return reload_apply(registry, &attempt->input, &attempt->draft, request->flags, &attempt->problems,
	                    ret, error);
}

/*
 * What stays of it afterwards. Going back says nothing about what was refused meanwhile; and a change that was
 * refused is nowhere, so there is nothing to be mended. Context: writer.
 */
static void note_result(struct rtreg *registry, const struct attempt *attempt,
                        const struct reload_request *request, int result, const struct rtreg_error *error)
{
	if (request->restore || (result < 0 && request->change))
		return;
	if (result < 0)
		reject_keep(registry, &attempt->input, result, error);
	else if (registry->has_rejected)
		reject_forget(registry);
}

/* Prepares until nobody published in between; after some tries it takes the lock first. */
static int reload_race(struct rtreg *registry, const struct reload_request *request,
                       struct rtreg_report **ret, struct rtreg_error *error)
{
	_cleanup_problems_ struct problems probed = {0};
	bool dry_run = request->flags & RTREG_RELOAD_DRY_RUN, done = false;
	int r = 0;

	for (int race = 0; !done; race++) {
		_cleanup_(attempt_fini) struct attempt attempt = {0};
		bool locked = race == MAX_RACES;

		if (locked)
			writer_lock(registry, NULL);
		r = attempt_prepare(&attempt, registry, request, &probed, error);
		/* What is wrong is told at once, unless something stays of it. */
		if (!locked && (r == 0 || !dry_run)) {
			writer_lock(registry, NULL);
			locked = true;
		}
		if (r == 0 && attempt.base == store_live(&registry->store)) {
			problems_take_warnings(&attempt.problems, &probed);
			r = reload_locked(&attempt, registry, request, ret, error);
			done = true;
		}
		done |= r < 0;
		if (done && !dry_run)
			note_result(registry, &attempt, request, r, error);
		if (locked)
			writer_unlock(registry);
	}
	return r;
}

int reload_run(struct rtreg *registry, const struct reload_request *request, struct rtreg_report **ret,
               struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};
	bool offline;
	int r;

	if (request->flags & ~(unsigned)(RTREG_RELOAD_DRY_RUN | RTREG_RELOAD_FORCE | RTREG_RELOAD_TRIAL))
		return error_set(error, -EINVAL, NULL, "unknown reload flags: 0x%x", request->flags);
	if (registry->writer_thread == gettid())
		return error_set(error, -EDEADLK, NULL, "called from a step or callback of a reload");
	r = blocking_begin(registry->store.head.flavor, &offline);
	if (r < 0)
		return error_set(error, r, NULL, "called inside a reader section");
	r = reload_race(registry, request, ret, &own);
	blocking_end(registry->store.head.flavor, offline);
	if (r < 0)
		error_move(error, &own);
	return r;
}

int rtreg_reload_if(struct rtreg *registry, const struct rtreg_source *source, unsigned flags,
                    uint64_t generation, struct rtreg_report **ret, struct rtreg_error *error)
{
	struct reload_request request = {.source = source, .flags = flags, .generation = generation};

	return reload_run(registry, &request, ret, error);
}

int rtreg_reload(struct rtreg *registry, const struct rtreg_source *source, unsigned flags,
                 struct rtreg_report **ret, struct rtreg_error *error)
{
	return rtreg_reload_if(registry, source, flags, 0, ret, error);
}
