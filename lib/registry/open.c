/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing a registry; adding keys and steps. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/registry.h"

static void log_warnings(const struct rtreg *registry, const struct problems *problems)
{
	if (!registry->log)
		return;
	for (size_t i = 0; i < problems->warnings.count; i++)
		registry->log(registry->log_context, RTREG_LOG_WARN, problems->warnings.items[i].message);
}

/* Everything that a registry holds but the store, which starts a thread; all of it can be freed half-made. */
static void parts_fini(struct rtreg *registry)
{
	script_store_free(registry->scripts);
	if (registry->state)
		lockins_fini(&registry->lock_ins);
	state_close(registry->state);
	probe_cache_free(registry->probes);
	step_list_fini(&registry->steps);
	for (size_t i = 0; i < registry->old_key_count; i++)
		keyset_free(registry->old_keys[i]);
	free(registry->old_keys);
	setup_fini(&registry->setup);
	statistics_fini(&registry->statistics);
	pthread_mutex_destroy(&registry->changes);
	pthread_mutex_destroy(&registry->writer);
	free(registry);
}

static int parts_init(struct rtreg *registry, const struct rtreg_options *options, struct rtreg_error *error)
{
	int r;

	pthread_mutex_init(&registry->writer, NULL);
	pthread_mutex_init(&registry->changes, NULL);
	registry->log = options ? options->log : NULL;
	registry->log_context = options ? options->log_context : NULL;
	r = setup_init(&registry->setup, options, error);
	if (r < 0)
		return r;
	registry->probes = probe_cache_new(&registry->statistics);
	if (!registry->probes)
		return error_no_memory(error);
	for (size_t i = 0; options && i < options->step_count; i++)
		if (step_list_add(&registry->steps, &options->steps[i]) < 0)
			return error_no_memory(error);
	return 0;
}

/* The state directory is touched only once the configuration is known to be good. */
static int open_state(struct rtreg *registry, struct problems *problems, struct rtreg_error *error)
{
	int r = state_open(registry->setup.state_dir, &registry->state, error);

	if (r == 0) {
		lockins_init(&registry->lock_ins, state_directory(registry->state),
		             registry->setup.state_dir);
		r = script_store_new(registry->setup.scripts_dir, &registry->statistics, &registry->scripts,
		                     problems, error);
	}
	return r;
}

/* What is confirmed, if the state directory is open and says so; else what the files say. */
static int prepare_first(struct rtreg *registry, struct input *input, struct draft *draft,
                         struct problems *problems, struct rtreg_error *error)
{
	int64_t began_ns = statistics_now_ns();
	bool confirmed = false;
	int r = 0;

	if (registry->state)
		r = trial_open(registry, input, &confirmed, problems, error);
	if (r == 0 && !confirmed)
		r = input_read(input, &registry->setup, registry->setup.keys, NULL, NULL, problems, error);
	statistics_stage(&registry->statistics, STAGE_READ, began_ns);
	if (r == 0)
		r = draft_build(draft, &registry->setup, input, NULL, &registry->statistics, problems, error);
	return r < 0 && confirmed ? trial_open_failed(registry, r, error) : r;
}

/* The process that had the state directory until now may have left a record: then all begins again. */
static int open_first(struct rtreg *registry, struct input *input, struct draft *draft,
                      struct problems *problems, struct rtreg_error *error)
{
	int r = open_state(registry, problems, error);

	if (r < 0 || !trial_record_exists(registry->setup.state_dir))
		return r;
	input_fini(input);
	problems_fini(problems);
	return prepare_first(registry, input, draft, problems, error);
}

static int publish_first(struct rtreg *registry, struct problems *problems, struct rtreg_error *error)
{
	_cleanup_(lock_in_start_fini) struct lock_in_start lock_ins = {0};
	_cleanup_(input_fini) struct input input = {0};
	struct draft draft;
	int r = 0;

	/* A record must be looked at with the lock held, so that nobody else still changes it. */
	if (trial_record_exists(registry->setup.state_dir))
		r = open_state(registry, problems, error);
	if (r == 0)
		r = prepare_first(registry, &input, &draft, problems, error);
	if (r == 0 && !registry->state)
		r = open_first(registry, &input, &draft, problems, error);
	if (r == 0 && draft_probe(registry, &draft, &input, problems) < 0)
		r = error_no_memory(error);
	if (r == 0)
		r = lock_in_start(registry, &lock_ins, problems, error);
	if (r == 0)
		r = writer_lock(registry, error);
	if (r == 0) {
		r = reload_apply(registry, &input, &draft, RTREG_RELOAD_FORCE, problems, NULL, error);
		if (r == 0) {
			lock_in_started(registry, &lock_ins, problems);
			reject_forget(registry);
			trial_opened(registry, problems);
		}
		writer_unlock(registry);
	}
	return r;
}

static int open_registry(const struct rtreg_options *options, const struct rcu_flavor_struct *flavor,
                         struct rtreg **ret, struct rtreg_error *error)
{
	_cleanup_problems_ struct problems problems = {0};
	struct rtreg *registry = calloc(1, sizeof(*registry));
	int r;

	if (!registry)
		return error_no_memory(error);
	r = parts_init(registry, options, error);
	if (r == 0) {
		r = store_init(&registry->store, flavor, &registry->statistics);
		if (r < 0)
			error_set(error, r, NULL, "cannot start a thread: %s", strerror(-r));
	}
	if (r < 0) {
		parts_fini(registry);
		return r;
	}
	r = publish_first(registry, &problems, error);
	if (r < 0) {
		store_fini(&registry->store);
		parts_fini(registry);
		return r;
	}
	log_warnings(registry, &problems);
	*ret = registry;
	return 0;
}

int rtreg_open_flavor(const struct rtreg_options *options, const struct rcu_flavor_struct *flavor,
                      struct rtreg **ret, struct rtreg_error *error)
{
	bool offline;
	int r = blocking_begin(flavor, &offline);

	if (r < 0)
		return error_set(error, r, NULL, "called inside a reader section");
	r = open_registry(options, flavor, ret, error);
	blocking_end(flavor, offline);
	return r;
}

void rtreg_close(struct rtreg *registry)
{
	const struct rcu_flavor_struct *flavor;
	bool offline;

	if (!registry)
		return;
	flavor = registry->store.head.flavor;
	if (blocking_begin(flavor, &offline) < 0) {
		fputs("rtreg_close: called inside a reader section, which would never end\n", stderr);
		abort();
	}
	trial_fini(&registry->trial);
	store_fini(&registry->store);
	parts_fini(registry);
	blocking_end(flavor, offline);
}

const char *rtreg_version(void)
{
	return RTREG_VERSION;
}

int rtreg_add_step(struct rtreg *registry, const char *name, rtreg_step_fn prepare, void *context)
{
	struct rtreg_step step = {.name = name, .prepare = prepare, .context = context};
	bool offline;
	int r = writer_enter(registry, &offline, NULL);

	if (r < 0)
		return r;
	r = prepare ? step_list_add(&registry->steps, &step) : -EINVAL;
	writer_leave(registry, offline);
	return r;
}

/* A new keyset takes the place of the old one, which snapshots may still point into. Context: writer. */
static int replace_keys(struct rtreg *registry, const char *name, enum rtreg_type type)
{
	struct setup *setup = &registry->setup;
	struct rtreg_key *own = reallocarray(setup->own_keys, setup->own_key_count + 1, sizeof(*own));
	struct keyset **old_keys, *keys;
	int r;

	if (!own)
		return -ENOMEM;
	setup->own_keys = own;
	old_keys = reallocarray(registry->old_keys, registry->old_key_count + 1, sizeof(*old_keys));
	if (!old_keys)
		return -ENOMEM;
	registry->old_keys = old_keys;
	own[setup->own_key_count] =
	        (struct rtreg_key){.name = arena_strdup(setup->arena, name ? name : ""), .type = type};
	if (!own[setup->own_key_count].name)
		return -ENOMEM;
	r = keyset_new(own, setup->own_key_count + 1, &keys, NULL);
	if (r < 0)
		return r;
	setup->own_key_count++;
	old_keys[registry->old_key_count++] = setup->keys;
	__atomic_store_n(&setup->keys, keys, __ATOMIC_RELEASE);
	return 0;
}

int rtreg_add_key(struct rtreg *registry, const char *key, enum rtreg_type type)
{
	bool offline;
	int r = writer_enter(registry, &offline, NULL);

	if (r < 0)
		return r;
	r = replace_keys(registry, key, type);
	writer_leave(registry, offline);
	return r;
}
