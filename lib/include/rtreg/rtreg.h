/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtreg: the runtime registry for container engines.
 *
 * Concurrency, in short (docs/concurrency.md has the whole):
 *
 *  - One writer at a time replaces the configuration (rtreg_reload); any number of readers use it meanwhile.
 *  - A reader borrows the current snapshot inside a liburcu read-side section, and may use it until the end of
 *    that section; or pins it, from any thread, and may use it until it unpins it.
 *  - A snapshot is one generation, whole, and never changes.
 *  - Only rtreg_borrow() needs a thread that is registered with liburcu. Everything else: any thread.
 *  - "May block" means: -EDEADLK inside a read-side section of memb, mb and bp; in qsbr a quiescent state (the
 *    thread is offline meanwhile, and what it had borrowed is no longer valid).
 *
 * Include it after the liburcu flavour of your choice: <urcu.h> (memb; mb with RCU_MB defined), <urcu-qsbr.h>
 * or <urcu-bp.h>. All files that borrow from one registry include the same one. Without any of them the
 * header still compiles, and declares everything but rtreg_open() and rtreg_borrow(). Where reading must be fast,
 * define _LGPL_SOURCE before it, and NDEBUG: docs/read.md.
 *
 * Functions that return int return 0 or a negative errno. Where a `struct rtreg_error *` or a
 * `struct rtreg_report **` is taken, NULL means "not wanted". Outputs are untouched on failure. Nothing here
 * prints, or aborts on input or on lack of memory.
 */
#ifndef RTREG_H
#define RTREG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RTREG_EXPORT __attribute__((visibility("default")))

struct rtreg;
struct rtreg_snapshot;
struct rtreg_txn;
struct rtreg_report;
struct rcu_flavor_struct;

/* --- errors --- */

struct rtreg_error_list;

/*
 * What went wrong. Zero it before the first use (`struct rtreg_error error = {0};`); a function that fails
 * fills it, one that succeeds leaves it alone. `more` holds the further errors where several were found.
 */
struct rtreg_error {
	int code;          /* negative errno */
	char where[128];   /* key, file or "line L, column C"; may be empty */
	char message[512]; /* one line for a person, without a newline */
	struct rtreg_error_list *more;
};

struct rtreg_error_list {
	size_t count;
	struct rtreg_error *errors;
};

/* Frees what `error` holds (not `error` itself) and zeroes it. NULL is allowed. Context: any thread. */
RTREG_EXPORT void rtreg_error_fini(struct rtreg_error *error);

/* --- opening and closing --- */

enum rtreg_log_level { RTREG_LOG_ERROR, RTREG_LOG_WARN, RTREG_LOG_INFO, RTREG_LOG_DEBUG };

/*
 * Called for each line that the library has to say; any thread, possibly the library's own. Must not call
 * rtreg.
 */
typedef void (*rtreg_log_fn)(void *context, enum rtreg_log_level level, const char *message);

enum rtreg_type {
	RTREG_TYPE_STRING = 1,
	RTREG_TYPE_BOOL,
	RTREG_TYPE_INT,
	RTREG_TYPE_STRINGS, /* array of strings */
	RTREG_TYPE_OBJECT,  /* any JSON object */
};

/* What a reload does with an engine's own key. */
enum rtreg_key_rule {
	RTREG_KEY_KEEP,    /* absent from the new file: kept; present: replaced */
	RTREG_KEY_RESET,   /* absent: back to the type's zero value; present: replaced */
	RTREG_KEY_RESTART, /* held at start; a changed value is reported as needs-restart */
};

/* A top-level key of an engine's own. `name` is copied. */
struct rtreg_key {
	const char *name;
	enum rtreg_type type;
	enum rtreg_key_rule rule;
};

/*
 * A command-line flag of the engine: `name` without dashes ("label", "add-runtime", "debug"), `value` as
 * written (NULL: a bool without a value). Takes part in the flag/file conflict rule and stays in force over
 * reloads.
 */
struct rtreg_flag {
	const char *name;
	const char *value;
};

/*
 * A step of a reload prepares what the engine wants to do with the new configuration, and may fail; then
 * nothing changes. It registers what must happen afterwards with rtreg_txn_on_commit() and
 * rtreg_txn_on_rollback(). Context: the thread that called rtreg_reload() (or rtreg_open()), outside any
 * reader section, writer's lock held.
 */
typedef int (*rtreg_step_fn)(struct rtreg_txn *txn, void *context, struct rtreg_error *error);

/*
 * A callback of a transaction. Its error is reported, and changes nothing any more. Context: as
 * rtreg_step_fn.
 */
typedef int (*rtreg_callback)(void *context, struct rtreg_error *error);

struct rtreg_step {
	const char *name; /* copied */
	rtreg_step_fn prepare;
	void *context;
};

/* Zeroed members mean the default. Everything is copied; nothing is kept but the contexts. */
struct rtreg_options {
	const char *
	        config_file; /* NULL: /etc/rtreg/daemon.json, which may be missing; a named file must exist */
	const char *state_dir; /* NULL: /var/lib/rtreg */
	const char *exec_root; /* NULL: /run/rtreg; the default of the key exec-root */
	const struct rtreg_key *keys;
	size_t key_count;
	const struct rtreg_step *steps;
	size_t step_count;
	const struct rtreg_flag *flags;
	size_t flag_count;
	rtreg_log_fn log;
	void *log_context;
};

/*
 * Opens a registry: reads the configuration, takes the state directory, writes the wrapper scripts, probes
 * the runtimes, runs the steps, publishes the first generation. `flavor` is the caller's liburcu flavour; use
 * rtreg_open(), which passes it.
 * Context: any thread. May block. Ownership: *ret is the caller's, to be closed with rtreg_close().
 * Errors: what is wrong with the configuration (-EINVAL), the file (-ENOENT, -EACCES …), the state directory
 * (-EBUSY: another process has it). On error nothing was changed but directories made, scripts added, and
 * lock-ins of another boot removed.
 */
RTREG_EXPORT int rtreg_open_flavor(const struct rtreg_options *options,
                                   const struct rcu_flavor_struct *flavor, struct rtreg **ret,
                                   struct rtreg_error *error);

/*
 * Closes a registry and frees its last snapshot after a grace period. NULL is allowed.
 * Context: any thread, once, when no other call is in progress and all pins are returned. May block; inside a
 * reader section it says so and aborts.
 */
RTREG_EXPORT void rtreg_close(struct rtreg *registry);

/* The library's version, "MAJOR.MINOR.PATCH". */
RTREG_EXPORT const char *rtreg_version(void);

/* --- reload --- */

/*
 * Where a configuration comes from: `file`, or `size` bytes at `bytes`. All zero (or NULL): the configured
 * file and its drop-ins, FILE.d/NAME.json (docs/dropins.md).
 */
struct rtreg_source {
	const char *file;
	const void *bytes;
	size_t size;
};

enum rtreg_reload_flags {
	RTREG_RELOAD_DRY_RUN = 1, /* report only: writes nothing, starts no process */
	RTREG_RELOAD_FORCE = 2,   /* publish a new generation even where nothing changed */
	/* on trial: until rtreg_confirm(), rtreg_revert() and a start go back to what was confirmed last */
	RTREG_RELOAD_TRIAL = 4,
};

/*
 * Reads a configuration and makes it the live one, or leaves everything as it was (CONTRACT section 6).
 * Context: any thread. May block. -EDEADLK from a step or a callback. Ownership: *ret is the caller's
 * (rtreg_report_free()).
 * Errors: -EINVAL bad configuration, `error` holds all that was found; -ENOENT, -EACCES, … the file; -ENOSPC,
 * -EIO … the state directory; -EBUSY readers do not end their sections; what a step returned.
 */
RTREG_EXPORT int rtreg_reload(struct rtreg *registry, const struct rtreg_source *source, unsigned flags,
                              struct rtreg_report **ret, struct rtreg_error *error);

/* As rtreg_reload(), but fails with -ESTALE if the live generation is not `generation` (0: any). */
RTREG_EXPORT int rtreg_reload_if(struct rtreg *registry, const struct rtreg_source *source, unsigned flags,
                                 uint64_t generation, struct rtreg_report **ret, struct rtreg_error *error);

/*
 * A reload with RTREG_RELOAD_TRIAL that publishes makes the configuration before it the confirmed one, and
 * keeps that durably in the state directory (docs/confirm.md). Reloads while on trial confirm nothing.
 *
 * rtreg_confirm: what is live stays, for the next start too. -ESRCH: nothing is on trial; -ENOSPC, -EIO …:
 * the state directory, and the trial goes on.
 * rtreg_revert: publishes the confirmed configuration again, as a new generation, by the steps of any reload.
 * -ESRCH likewise; otherwise as rtreg_reload(), and on failure the trial goes on.
 * Context: any thread, not from a step or callback (-EDEADLK). May block.
 */
RTREG_EXPORT int rtreg_confirm(struct rtreg *registry, struct rtreg_error *error);
RTREG_EXPORT int rtreg_revert(struct rtreg *registry, struct rtreg_report **ret, struct rtreg_error *error);
/*
 * Whether a configuration is on trial; *ret_confirmed (NULL allowed) is the generation that is confirmed,
 * untouched if none is on trial. Context: any thread.
 */
RTREG_EXPORT bool rtreg_on_trial(struct rtreg *registry, uint64_t *ret_confirmed);
/*
 * Whether the open found that the configuration files hold what was on trial, or was reverted, and took the
 * confirmed configuration in their place. Context: any thread.
 */
RTREG_EXPORT bool rtreg_reverted_at_open(const struct rtreg *registry);

/* --- changes that last --- */

enum rtreg_change_kind {
	RTREG_PUT_RUNTIME = 1, /* `name` gets `entry`, a runtime entry of daemon.json, added or replaced */
	RTREG_REMOVE_RUNTIME,
	/* default-runtime is `name`, or, if that is NULL, what `entry` says: {"runtime": NAME}; "": is no longer set here */
	RTREG_SET_DEFAULT,
};

struct rtreg_change {
	enum rtreg_change_kind kind;
	const char *name;
	const void *entry; /* `entry_size` bytes of JSON */
	size_t entry_size;
};

/*
 * Changes the drop-in that is the registry's own, FILE.d/50-rtregctl.json, and reloads all files with it
 * (docs/dropins.md). If that fails, the drop-in is as it was before. What others have changed in the files
 * becomes live too. Context: any thread, not from a step or callback (-EDEADLK). May block. Ownership: as
 * rtreg_reload().
 * Errors: -ESRCH the runtime to be removed is not in that drop-in, and the message says where it is; -ESTALE
 * the live generation is not `generation` (0: any); -EINVAL a bad entry or name, the runtime is the default,
 * another file or a flag sets the default; -EIO, -ENOSPC, -EROFS … the drop-in cannot be written; -EBUSY
 * somebody else keeps writing it; as rtreg_reload() otherwise.
 */
RTREG_EXPORT int rtreg_change(struct rtreg *registry, const struct rtreg_change *change, uint64_t generation,
                              struct rtreg_report **ret, struct rtreg_error *error);

/*
 * Checks a configuration as a start with `options` would, without a registry: writes nothing, starts no
 * process. `source` NULL: the file that `options` names, and its drop-ins. The report tells warnings and
 * ignored keys.
 * Context: any thread, outside reader sections: it reads a file, and knows no flavour. A qsbr thread goes
 * offline first. Errors: as rtreg_open_flavor().
 */
RTREG_EXPORT int rtreg_validate(const struct rtreg_options *options, const struct rtreg_source *source,
                                struct rtreg_report **ret, struct rtreg_error *error);

RTREG_EXPORT void rtreg_report_free(struct rtreg_report *report);
RTREG_EXPORT uint64_t rtreg_report_generation(const struct rtreg_report *report); /* live when it was made */
RTREG_EXPORT uint64_t rtreg_report_previous(const struct rtreg_report *report);   /* live before */
RTREG_EXPORT bool rtreg_report_unchanged(const struct rtreg_report *report);
/* The whole report as a JSON object, secrets masked; belongs to the report. */
RTREG_EXPORT const char *rtreg_report_json(const struct rtreg_report *report);
/* The attributes of the reload event alone, a JSON object of strings; belongs to the report. */
RTREG_EXPORT const char *rtreg_report_attributes_json(const struct rtreg_report *report);
/* The keys that changed, a JSON array of strings; belongs to the report. */
RTREG_EXPORT const char *rtreg_report_changed_json(const struct rtreg_report *report);
/* The `index`-th warning, or NULL past the last; belongs to the report. */
RTREG_EXPORT const char *rtreg_report_warning(const struct rtreg_report *report, size_t index);

/*
 * Adds a step, run from the next reload on after the built-in ones and those added before.
 * Context: any thread, not from a step or callback (-EDEADLK). May block.
 */
RTREG_EXPORT int rtreg_add_step(struct rtreg *registry, const char *name, rtreg_step_fn prepare,
                                void *context);

/*
 * Adds a key of the engine's own (RTREG_KEY_KEEP), known from the next reload on. -EEXIST if there is one of
 * that name, -EINVAL for an empty name or an unknown type. Context: as rtreg_add_step().
 */
RTREG_EXPORT int rtreg_add_key(struct rtreg *registry, const char *key, enum rtreg_type type);

/*
 * Registers `fn` to be called once the new snapshot is live, in the order registered; or, if a later step
 * fails, in reverse order to take back what was prepared. Out of memory, the reload fails and rolls back.
 * Context: from a step, during it.
 */
RTREG_EXPORT void rtreg_txn_on_commit(struct rtreg_txn *txn, rtreg_callback fn, void *context);
RTREG_EXPORT void rtreg_txn_on_rollback(struct rtreg_txn *txn, rtreg_callback fn, void *context);
/* The snapshots before (NULL at open) and after; valid until the last callback has returned. */
RTREG_EXPORT const struct rtreg_snapshot *rtreg_txn_old(const struct rtreg_txn *txn);
RTREG_EXPORT const struct rtreg_snapshot *rtreg_txn_new(const struct rtreg_txn *txn);

/* --- snapshots --- */

/*
 * Keeps the current snapshot until rtreg_unpin(), however many reloads come. Never fails.
 * Context: any thread, registered or not, in a section or not; not in signal handlers.
 *
 * Both are inlined. (rtreg_pin)(registry), or a pointer to it, calls the library's, as other languages do; a function that
 * can be suspended and resumed on another thread needs that (docs/read.md).
 */
RTREG_EXPORT const struct rtreg_snapshot *rtreg_pin(struct rtreg *registry);
/* Returns a pin; any thread, once per pin. NULL is allowed. */
RTREG_EXPORT void rtreg_unpin(const struct rtreg_snapshot *snapshot);

/*
 * Superseded generations that are still pinned, oldest first: fills up to `size` of `ret`, returns how many
 * there are.
 */
struct rtreg_pinned {
	uint64_t generation;
	uint64_t count;
};
RTREG_EXPORT size_t rtreg_pinned(struct rtreg *registry, struct rtreg_pinned *ret, size_t size);

/*
 * All getters: any thread, while the snapshot is borrowed or pinned. What they return belongs to the
 * snapshot.
 */
RTREG_EXPORT uint64_t rtreg_snapshot_generation(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT bool rtreg_snapshot_debug(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT bool rtreg_snapshot_live_restore(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT const char *rtreg_snapshot_default_runtime(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT const char *rtreg_snapshot_exec_root(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT int64_t
rtreg_snapshot_shutdown_timeout(const struct rtreg_snapshot *snapshot); /* seconds; negative: for ever */
RTREG_EXPORT int64_t rtreg_snapshot_default_stop_timeout(const struct rtreg_snapshot *snapshot); /* seconds */
RTREG_EXPORT int64_t rtreg_snapshot_default_shm_size(const struct rtreg_snapshot *snapshot);     /* bytes */
RTREG_EXPORT const char *rtreg_snapshot_default_ipc_mode(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT const char *rtreg_snapshot_default_cgroupns_mode(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT int64_t rtreg_snapshot_max_concurrent_downloads(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT int64_t rtreg_snapshot_max_concurrent_uploads(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT int64_t rtreg_snapshot_max_download_attempts(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT int64_t
rtreg_snapshot_network_diagnostic_port(const struct rtreg_snapshot *snapshot); /* 0: none */
/* -1 if not named, else 0 or 1. */
RTREG_EXPORT int rtreg_snapshot_feature(const struct rtreg_snapshot *snapshot, const char *name);
/* The i-th label, "key=value"; NULL past the last. */
RTREG_EXPORT const char *rtreg_snapshot_label(const struct rtreg_snapshot *snapshot, size_t index);
/* The i-th registry mirror, normalised and without duplicates; NULL past the last. */
RTREG_EXPORT const char *rtreg_snapshot_mirror(const struct rtreg_snapshot *snapshot, size_t index);
/* The i-th insecure registry network (CIDR), or host; NULL past the last. */
RTREG_EXPORT const char *rtreg_snapshot_insecure_cidr(const struct rtreg_snapshot *snapshot, size_t index);
RTREG_EXPORT const char *rtreg_snapshot_insecure_host(const struct rtreg_snapshot *snapshot, size_t index);

/*
 * The value of one key, the engine's own included. type 0: there is no such key. Secrets are not masked here.
 */
struct rtreg_value {
	enum rtreg_type type;
	bool boolean;
	int64_t integer;
	const char *string; /* RTREG_TYPE_STRING */
	const void *data;   /* RTREG_TYPE_STRINGS, RTREG_TYPE_OBJECT: for the two functions below */
};
RTREG_EXPORT struct rtreg_value rtreg_snapshot_value(const struct rtreg_snapshot *snapshot, const char *key);
/* The i-th string of an RTREG_TYPE_STRINGS value; NULL past the last. */
RTREG_EXPORT const char *rtreg_value_string(const struct rtreg_value *value, size_t index);
/* The value as JSON text, not masked; malloc'ed, the caller frees it. NULL without memory. */
RTREG_EXPORT char *rtreg_value_json(const struct rtreg_value *value);

/*
 * The configuration with origins, and the runtimes: the replies of GET /v1/config and /v1/runtimes, masked.
 * malloc'ed, the caller frees it. NULL without memory.
 */
RTREG_EXPORT char *rtreg_snapshot_json(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT char *rtreg_snapshot_runtimes_json(const struct rtreg_snapshot *snapshot);

/* --- statistics --- */

#define RTREG_HISTOGRAM_BUCKETS 12

/* Durations: each bucket holds those above the bucket before it and up to `upper_ns`, UINT64_MAX in the last. */
struct rtreg_bucket {
	uint64_t upper_ns, count;
};
struct rtreg_histogram {
	uint64_t count, sum_ns;
	struct rtreg_bucket buckets[RTREG_HISTOGRAM_BUCKETS];
};

/* Counted since the registry was opened, opening included; but for the three that tell what is so now. */
struct rtreg_statistics {
	struct rtreg_histogram grace_periods; /* how long readers were waited for */
	uint64_t freed;                       /* superseded snapshots */
	uint64_t waiting;                     /* now: superseded snapshots before the end of a grace period */
	uint64_t pinned, pins;                /* now: superseded snapshots that are pinned, and their pins */
	uint64_t room_waits;                  /* reloads that waited because too many snapshots did */
	uint64_t probes_answered, probes_failed, probes_remembered;
	uint64_t scripts_written, scripts_repaired;
	uint64_t lock_ins_made, lock_ins_removed; /* by this process */
};

/*
 * Fills the first `size` bytes of *ret, sizeof(*ret) for the caller: members may be added at the end in later
 * versions; those that this library does not know are 0. Context: any thread; blocks no reader and no reload.
 */
RTREG_EXPORT void rtreg_statistics(struct rtreg *registry, struct rtreg_statistics *ret, size_t size);

/* A step of reloads: how often it was done, dry runs and repetitions included, and how long that took in all. */
struct rtreg_timing {
	const char *name; /* the registry's */
	bool built_in;    /* else the engine's; those of one name are counted together */
	uint64_t count, sum_ns;
};
/* Fills up to `size` of `ret`, in order; returns how many there are. Context: as rtreg_statistics(). */
RTREG_EXPORT size_t rtreg_timings(struct rtreg *registry, struct rtreg_timing *ret, size_t size);

/* --- runtimes --- */

/*
 * What a container with a runtime gets. The strings belong to the snapshot, are NUL-terminated and stay valid
 * as long as it is borrowed or pinned. One exception: for an implicit shim name (CONTRACT C44) `name` and
 * `shim` point to the name that was asked for, as long as name_length and shim_length say.
 */
struct rtreg_runtime {
	const char *name; /* the resolved name: the default's, where "" was asked */
	const char *shim; /* containerd shim name, or the absolute path of one */
	/* What to execute: the path, or the wrapper script, or a name to find in PATH, as runc; NULL for a type runtime. */
	const char *binary;
	const char *options_json;  /* the shim's options, a JSON object; NULL: none */
	const char *path;          /* the path as configured; NULL for a type runtime */
	const char *wrapper;       /* the wrapper script, where there are arguments; else NULL */
	const char *features_json; /* the OCI features document of the binary; NULL: unknown */
	uint32_t name_length, shim_length;
};

/*
 * A name that is resolved again and again, with its length and its hash taken once: rtreg_name_init(), then
 * rtreg_resolve_name(). An engine keeps one beside each container. It belongs to no snapshot and to no registry, and needs
 * no update when a new generation comes. Ownership: the string is the caller's, is not copied, and must stay, unchanged,
 * as long as the prepared name and what an implicit shim name resolved to are used. Any number of threads may use one.
 * The members are the library's.
 */
struct rtreg_words {
	uint64_t first, second, last;
};
struct rtreg_name {
	const char *name;
	size_t length;
	uint64_t hash;
	struct rtreg_words words;
};

/*
 * Borrows the live snapshot and resolves a name in it, in one call: for callers that cannot inline what
 * <rtreg/inline.h> has, and other languages. As rtreg_resolve(rtreg_borrow(registry), …), and with its errors; the strings
 * in *ret are valid until the reader section ends. NULL, or a length of 0, is the default. Context: a thread registered
 * with liburcu, inside a reader section of the registry's flavour, which is not checked here.
 */
RTREG_EXPORT int rtreg_resolve_live(struct rtreg *registry, const char *name, struct rtreg_runtime *ret,
                                    struct rtreg_error *error);
RTREG_EXPORT int rtreg_resolve_live_len(struct rtreg *registry, const char *name, size_t length,
                                        struct rtreg_runtime *ret, struct rtreg_error *error);

/* A configured or stock runtime in full, for listing. */
RTREG_EXPORT size_t rtreg_snapshot_runtime_count(const struct rtreg_snapshot *snapshot);
/* The i-th, in order of name; `stock` may be NULL. -ENOENT past the last. */
RTREG_EXPORT int rtreg_snapshot_runtime(const struct rtreg_snapshot *snapshot, size_t index,
                                        struct rtreg_runtime *ret, bool *stock);
/* The `index`-th argument of the `runtime`-th, as configured; NULL past the last, or past the last runtime. */
RTREG_EXPORT const char *rtreg_snapshot_runtime_arg(const struct rtreg_snapshot *snapshot, size_t runtime,
                                                    size_t index);

/*
 * The look-up of CONTRACT C45: for a runtime with a wrapper, finds the binary (PATH if it has no slash); one
 * without is not checked. `flavor` is the caller's liburcu flavour, NULL for a thread that is in no section;
 * use rtreg_runtime_check(), which passes it. -ENOENT or -EACCES with "error while looking up the specified
 * runtime path: …". Context: any thread. May block.
 */
RTREG_EXPORT int rtreg_runtime_check_flavor(const struct rtreg_runtime *runtime,
                                            const struct rcu_flavor_struct *flavor,
                                            struct rtreg_error *error);

/* --- lock-ins (docs/lockins.md) --- */

/*
 * What a container was started with, for as long as it lives. It never changes. The strings are the lock-in's
 * own, until rtreg_lock_in_fini().
 *
 * An engine locks a container in before it creates it, executes `binary` with arguments of its own for every
 * command, asks rtreg_locked() for it where it does not have it any more, and unlocks when the container is
 * deleted; or when it could not be created, if it was `created` here.
 */
struct rtreg_lock_in {
	const char *id;
	const char *root; /* the runtime's --root, absolute; "": none */
	const char *runtime, *shim;
	const char *options_json; /* a JSON object; NULL: none */
	const char *binary;       /* what to execute, as in struct rtreg_runtime; NULL for a type runtime */
	const char *wrapper;      /* NULL: none */
	const char *boot_id;      /* of the boot that it belongs to; NULL: to any */
	const char *locked;       /* when, RFC 3339, UTC */
	const char *json;         /* all of this as the API serves it */
	uint64_t generation;      /* that answered */
	bool created;             /* by this call; else it was there already */
	void *memory;             /* the library's */
};

/* Frees what it holds and zeroes it. NULL is allowed. Context: any thread. */
RTREG_EXPORT void rtreg_lock_in_fini(struct rtreg_lock_in *lock_in);

/*
 * Locks a container in: gives it `runtime` (NULL or "": the default of the live generation), or returns what it
 * was given first. `root` is the absolute --root of the runtime, NULL or "": none; each has container names of
 * its own, 1 to 128 of A-Z, a-z, 0-9, "_", "." and "-", the first a letter or a digit. Durable when it returns 0.
 * Ownership: *ret (NULL: not wanted) is the caller's, rtreg_lock_in_fini(). Context: any thread, any number at
 * once, not from a step or callback. May block (-EDEADLK inside a reader section).
 * Errors: -EINVAL an unknown runtime, or a bad id or root; -ENOENT, -EACCES the look-up of CONTRACT C45, for
 * runtimes with a wrapper: others fail when they are executed; -EEXIST locked in to another runtime than the one
 * that is named; the state directory: -ENOSPC, -EROFS, -EIO …; -EBADMSG: what is there is
 * damaged (rtreg_unlock() removes it).
 */
RTREG_EXPORT int rtreg_lock_in(struct rtreg *registry, const char *root, const char *container,
                               const char *runtime, struct rtreg_lock_in *ret, struct rtreg_error *error);

/*
 * As rtreg_lock_in(), with what a snapshot says that the caller has pinned: so all that one request does is of one
 * generation, whatever is reloaded meanwhile. A borrowed one will not do: this may block.
 */
RTREG_EXPORT int rtreg_lock_in_at(struct rtreg *registry, const struct rtreg_snapshot *snapshot,
                                  const char *root, const char *container, const char *runtime,
                                  struct rtreg_lock_in *ret, struct rtreg_error *error);

/*
 * As rtreg_lock_in(), for a container that does not survive a reboot: the lock-in is void in another boot than
 * `boot_id` (36 characters, as /proc/sys/kernel/random/boot_id has them), and need not survive a power cut.
 */
RTREG_EXPORT int rtreg_lock_in_for_boot(struct rtreg *registry, const char *root, const char *container,
                                        const char *runtime, const char *boot_id, struct rtreg_lock_in *ret,
                                        struct rtreg_error *error);

/*
 * Removes a lock-in, durably. `locked` (NULL: whichever) is that member of the one that is meant: -ESTALE if
 * there is another. -ESRCH: there is none; -EBUSY: another process is removing it, and has stopped. Where only
 * making that durable fails, it is gone all the same, until a power cut. Context: as rtreg_lock_in().
 */
RTREG_EXPORT int rtreg_unlock(struct rtreg *registry, const char *root, const char *container,
                              struct rtreg_error *error);
RTREG_EXPORT int rtreg_unlock_if(struct rtreg *registry, const char *root, const char *container,
                                 const char *locked, struct rtreg_error *error);

/* The lock-in of one container; -ESRCH: none; -EBADMSG: it is damaged. Context, ownership: as rtreg_lock_in(). */
RTREG_EXPORT int rtreg_locked(struct rtreg *registry, const char *root, const char *container,
                              struct rtreg_lock_in *ret, struct rtreg_error *error);

/*
 * All lock-ins, in order of root and id; of one root alone, if `root` is not NULL ("": those without). *ret is
 * the caller's, rtreg_lock_ins_free(). Files that are none are left out, each with a line in the log. Context:
 * as rtreg_lock_in().
 */
RTREG_EXPORT int rtreg_lock_ins(struct rtreg *registry, const char *root, struct rtreg_lock_in **ret,
                                size_t *ret_count, struct rtreg_error *error);
RTREG_EXPORT void rtreg_lock_ins_free(struct rtreg_lock_in *lock_ins, size_t count);
/* How many there are; *ret is untouched if it cannot be told. Context: as rtreg_lock_in(). */
RTREG_EXPORT int rtreg_lock_in_count(struct rtreg *registry, size_t *ret);

/*
 * What an engine's command exits with when a container cannot be started for this error: 127 the runtime was
 * not found, 126 it cannot be executed, 125 anything else.
 */
RTREG_EXPORT int rtreg_exit_code(const struct rtreg_error *error);

/* Fills `error` for a name that does not resolve, and returns -EINVAL. For the inline functions. */
RTREG_EXPORT int rtreg_resolve_failed(const char *name, size_t length, struct rtreg_error *error);

#include <rtreg/inline.h>

#ifdef __cplusplus
}
#endif

#endif
