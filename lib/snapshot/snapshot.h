/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The snapshot: the configuration of one generation and the runtimes derived from it, in one arena. Made by
 * the writer with snapshot_seal(); from then on nothing in the arena is written, by anybody. Counting its
 * users is lib/store's business and lives outside the arena (struct lifetime).
 */
#ifndef RTREG_SNAPSHOT_SNAPSHOT_H
#define RTREG_SNAPSHOT_SNAPSHOT_H

#include "checks/checks.h"
#include "runtimes/probe.h"
#include "runtimes/script_store.h"
#include "values/settings.h"

/* A configured or stock runtime. `runtime` comes first: the hash table points to it. */
struct runtime_entry {
	struct rtreg_runtime runtime;
	const struct value *configured; /* its entry in the configuration; NULL: stock */
};

struct rtreg_snapshot {
	struct rtreg_snapshot_head head; /* what inline functions see; its pins are the store's */
	struct arena *arena;             /* holds this struct too */
	struct settings settings;
	struct registry_lists registries;
	struct runtime_entry *runtimes; /* in order of name */
	size_t runtime_count;
	const char *common_options; /* what the options of all path runtimes end in */
	size_t script_count;        /* runtimes with a wrapper script */
	size_t script_taken;        /* of them, those that have the script that they had in the one before */
};

/* What derivation needs beside the settings. */
struct derive_context {
	const char *scripts_dir;    /* STATE/runtimes */
	struct probe_cache *probes; /* may be NULL: no features known */
	/* What was asked for these settings; NULL: nothing was, and what is remembered must do. */
	const struct probe_answers *answers;
	/*
	 * The live one, or NULL: its wrapper scripts are there, and it knows runtimes that are in both, where the probes
	 * have forgotten them.
	 */
	const struct rtreg_snapshot *before;
};

/*
 * Turns settings, all of whose values are in `arena`, into a snapshot with the given generation, and lists
 * the scripts that `context->before` does not need already: they have to be written before it is published. The arena
 * then belongs to the snapshot. NULL without memory.
 */
struct rtreg_snapshot *snapshot_seal(struct arena *arena, const struct settings *settings,
                                     const struct derive_context *context, uint64_t generation,
                                     struct script_list *ret_scripts);
/* Frees a snapshot and its arena. NULL is allowed. */
void snapshot_free(struct rtreg_snapshot *snapshot);

/* Derives the runtimes of a snapshot whose settings are set (snapshot/derive.c). -ENOMEM. */
int derive_runtimes(struct rtreg_snapshot *snapshot, const struct derive_context *context,
                    struct script_list *ret);

/* Builds the table of a snapshot whose runtimes are derived (snapshot/table.c). -ENOMEM. */
int table_build(struct rtreg_snapshot *snapshot);

/*
 * Makes the wrapper script of a runtime of `snapshot` again. -ENOENT: it has none; -ENOMEM. *ret is the caller's,
 * script_fini().
 */
int snapshot_script(const struct rtreg_snapshot *snapshot, const char *runtime, struct script *ret);

/* The wrapper scripts of a snapshot, to be made again (snapshot/scripts.c). */
struct snapshot_scripts {
	struct script_source source; /* first */
	const struct rtreg_snapshot *snapshot;
	size_t next; /* runtime */
};
/* NULL is a snapshot without any. */
struct snapshot_scripts snapshot_scripts_of(const struct rtreg_snapshot *snapshot);
/* Has the store keep the scripts of `old`, which may be NULL, that its successor does not have. -ENOMEM. */
int snapshot_keep_scripts(const struct rtreg_snapshot *old, const struct rtreg_snapshot *successor,
                          struct script_store *store);

/*
 * The distinct binaries that a configuration would use, for the probe: malloc'ed array of pointers into
 * `settings`.
 */
int derive_binaries(const struct settings *settings, const char ***ret, size_t *ret_count);

#endif
