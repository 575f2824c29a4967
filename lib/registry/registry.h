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
#include "bytes/sources.h"
#include "draft/report.h"
#include "lockins/lockins.h"
#include "registry/change.h"
#include "registry/trial.h"
#include "runtimes/script_store.h"
#include "state/state.h"
#include "steps/steps.h"
#include "store/store.h"

#define DEFAULT_CONFIG_FILE "/etc/rtreg/daemon.json"
#define DEFAULT_STATE_DIR   "/var/lib/rtreg"
#define SCRIPTS_DIR         "runtimes"
#define OWN_FRAGMENT        "50-rtregctl.json" /* the drop-in that the registry writes itself */

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

/* A configuration that was read: its settings, in the arena that the draft will have. Zeroed is empty. */
struct input {
	struct arena *arena;    /* owned until it is taken */
	struct sources sources; /* the bytes that were read, owned */
	bool configured;        /* they are the configured files, not a body or another file */
	bool complete;          /* `sources` are all there are */
	struct settings file;   /* of the file, or the body, and the drop-ins */
	bool missing;           /* the default file does not exist */
	bool has_runtimes;      /* the file, or the body, sets `runtimes` itself */
	bool exact;             /* a record: no value in it means the default */
	const struct rtreg_snapshot
	        *restore;               /* whose values are taken, not those of `file`; not owned; or NULL */
	struct change *change;          /* of the registry's own drop-in, not owned; NULL: none */
	struct probe_answers *features; /* of its runtimes' binaries; owned; NULL: nobody was asked */
};

/*
 * Reads the source into `input` (NULL: the configured file and its drop-ins, one of which `overlay` stands
 * for, if not NULL). What is wrong with the contents goes to `problems`, what is wrong with a source, or
 * makes it unreadable, to `error`. Returns 0 also when there were problems. input_fini() after a failure too:
 * what was read stays.
 */
int input_read(struct input *input, const struct setup *setup, const struct keyset *keys,
               const struct rtreg_source *source, const struct overlay *overlay, struct problems *problems,
               struct rtreg_error *error);
/* In place of reading: the values of a snapshot again. */
int input_restore(struct input *input, const struct keyset *keys, const struct rtreg_snapshot *snapshot,
                  struct rtreg_error *error);
void input_fini(struct input *input);

/*
 * The digest of the names and contents of the configured files that `input` was read from; "" where it was
 * read from something else. input_digest_files(): as they are on disk now. -ENOMEM, or what reading says.
 */
int input_digest(const struct input *input, char ret[DIGEST_LENGTH + 1]);
int input_digest_files(const struct setup *setup, char ret[DIGEST_LENGTH + 1]);

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
	struct lockins lock_ins; /* any thread's, once the registry is open */
	/* below: the writer's alone */
	pthread_mutex_t writer;
	_Atomic pid_t writer_thread; /* who holds it; 0: nobody */
	struct step_list steps;
	struct state *state;
	struct script_store *scripts;
	bool has_rejected;        /* STATE/rejected may be there */
	struct keyset **old_keys; /* superseded keysets: snapshots may point into them until close */
	size_t old_key_count;
	struct probe_cache *probes; /* has a lock of its own */
	struct trial trial;
	pthread_mutex_t changes; /* one rtreg_change() at a time; taken before the writer's */
};

/* What is to be reloaded. Zeroed: the configured file and its drop-ins. */
struct reload_request {
	const struct rtreg_source *source;
	const struct overlay *overlay;        /* for one of the drop-ins; NULL: none */
	unsigned flags;                       /* enum rtreg_reload_flags */
	struct change *change;                /* whose step runs too; NULL: none */
	const struct rtreg_snapshot *restore; /* in place of all that: the confirmed one again; pinned */
	uint64_t generation;                  /* -ESTALE if this is not the live one; 0: any */
};

/* What rtreg_reload() and rtreg_reload_if() do. Context: as theirs. */
int reload_run(struct rtreg *registry, const struct reload_request *request, struct rtreg_report **ret,
               struct rtreg_error *error);

/* Fills `error` and returns -ESTALE. */
int reload_stale(uint64_t live, uint64_t wanted, struct rtreg_error *error);

/* Takes and gives back the writer's lock. -EDEADLK from a step or callback. */
int writer_lock(struct rtreg *registry, struct rtreg_error *error);
void writer_unlock(struct rtreg *registry);
/* The same for a function that any thread may call: it leaves the readers meanwhile. */
int writer_enter(struct rtreg *registry, bool *ret_offline, struct rtreg_error *error);
void writer_leave(struct rtreg *registry, bool offline);

/*
 * Keeps what a reload that failed with `result` had read in STATE/rejected, if it was the configuration's
 * fault; nothing stays there if it could not read all. reject_forget() removes it. Failures are warnings in
 * the log. Context: writer.
 */
void reject_keep(struct rtreg *registry, const struct input *input, int result,
                 const struct rtreg_error *error);
void reject_forget(struct rtreg *registry);

/*
 * At open, before anything is published, with the state directory locked: removes what is void, and puts the scripts
 * right that the others need. lock_in_started(), after the publication, tells of those that nobody has any more, and
 * removes those that nobody needs.
 */
struct lock_in_start {
	char **wrappers; /* names of scripts; each once, in order of their digests, once they have been read */
	bool *missing;   /* which of them could not be read */
	size_t count, capacity;
	bool incomplete; /* some lock-ins could not be read: they may need any script */
};
int lock_in_start(struct rtreg *registry, struct lock_in_start *start, struct problems *problems,
                  struct rtreg_error *error);
void lock_in_started(struct rtreg *registry, struct lock_in_start *start, struct problems *problems);
void lock_in_start_fini(struct lock_in_start *start);

/* Makes STATE/default-runtime that of `live`, if it is another. Context: writer. */
int default_runtime_write(struct rtreg *registry, const struct rtreg_snapshot *live,
                          struct rtreg_error *error);

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
