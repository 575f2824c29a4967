/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A registry, and the parts that opening, reloading and validating share. docs/reload.md has the order of a
 * reload.
 */
#ifndef RTREG_REGISTRY_REGISTRY_H
#define RTREG_REGISTRY_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/statistics.h"
#include "draft/report.h"
#include "runtimes/script_store.h"
#include "state/state.h"
#include "steps/steps.h"
#include "store/store.h"

#define DEFAULT_CONFIG_FILE "/etc/rtreg/daemon.json"
#define DEFAULT_STATE_DIR   "/var/lib/rtreg"
#define SCRIPTS_DIR         "runtimes"

/* What the options say, copied: constant but for the keys, which the engine may add to. */
struct setup {
	struct arena *arena;
	const char *config_file;
	bool config_named; /* by the engine: then it must exist */
	const char *state_dir, *scripts_dir;
	struct keyset *keys;
	struct rtreg_key *own_keys; /* all that the engine added */
	size_t own_key_count;
	struct settings flags, defaults;
};

/* -EINVAL for bad flags or keys, with all errors. */
int setup_init(struct setup *setup, const struct rtreg_options *options, struct rtreg_error *error);
void setup_fini(struct setup *setup);

/* A configuration that was read: its settings, in the arena that the draft will have. */
struct input {
	struct arena *arena; /* owned until it is taken */
	struct settings file;
	bool missing;                   /* the default file does not exist */
	struct probe_answers *features; /* of its runtimes' binaries; owned; NULL: nobody was asked */
};

/*
 * Reads the source into `input` (NULL: the configured file). What is wrong with the contents goes to
 * `problems`, what is wrong with the source to `error`. Returns 0 also when there were problems.
 */
int input_read(struct input *input, const struct setup *setup, const struct keyset *keys,
               const struct rtreg_source *source, struct problems *problems, struct rtreg_error *error);
void input_fini(struct input *input);

/*
 * Merges and checks `input` over `live` (NULL: as at a start) into `draft`. On success the draft is complete
 * and no problem was found; otherwise all of them are in `error`. `statistics` may be NULL.
 */
int draft_build(struct draft *draft, const struct setup *setup, const struct input *input,
                const struct rtreg_snapshot *live, struct statistics *statistics, struct problems *problems,
                struct rtreg_error *error);

/* `store` is first: the inline readers see its head. */
struct rtreg {
	struct store store;
	struct setup setup; /* the keys change under the writer's lock */
	rtreg_log_fn log;
	void *log_context;
	struct statistics statistics;
	/* below: the writer's alone */
	pthread_mutex_t writer;
	_Atomic pid_t writer_thread; /* who holds it; 0: nobody */
	struct step_list steps;
	struct state *state;
	struct script_store *scripts;
	struct keyset **old_keys; /* superseded keysets: snapshots may point into them until close */
	size_t old_key_count;
	struct probe_cache *probes; /* has a lock of its own */
};

/* Takes and gives back the writer's lock. -EDEADLK from a step or callback. */
int writer_lock(struct rtreg *registry, struct rtreg_error *error);
void writer_unlock(struct rtreg *registry);

/* Probes the binaries that a draft's runtimes use, for `input`; what fails is a warning. */
int draft_probe(struct rtreg *registry, const struct draft *draft, struct input *input,
                struct problems *problems);

/*
 * Steps 5 to 11 of docs/reload.md: seals the draft, reports, and publishes unless it is a dry run, or nothing
 * changed and it is not forced. On success the draft's arena belongs to the snapshot, or is freed. Context:
 * writer.
 */
int reload_apply(struct rtreg *registry, struct input *input, struct draft *draft, unsigned flags,
                 struct problems *problems, struct rtreg_report **ret, struct rtreg_error *error);

#endif
