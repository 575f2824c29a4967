/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directory of wrapper scripts, STATE/runtimes (mode 0700), and all scripts that this process has written
 * or adopted there. They are immutable and never deleted while the process lives, whatever is reloaded; one
 * that somebody else damaged is put right by rename.
 *
 * Context: the writer alone (the writer's lock, or before the registry is published). All of it may block.
 */
#ifndef RTREG_RUNTIMES_SCRIPT_STORE_H
#define RTREG_RUNTIMES_SCRIPT_STORE_H

#include "base/problems.h"
#include "base/statistics.h"
#include "runtimes/script.h"

struct script_store;

/*
 * Opens, and makes if missing, `directory`. It must belong to us and be writable by nobody else; a mode other
 * than 0700 is corrected. A file system mounted noexec is a warning in `problems`. `statistics` (NULL: none) outlive
 * the store.
 */
int script_store_new(const char *directory, struct statistics *statistics, struct script_store **ret,
                     struct problems *problems, struct rtreg_error *error);
/* Leaves the files; frees the rest. NULL is allowed. */
void script_store_free(struct script_store *store);

/*
 * Makes sure that all `count` scripts are there, whole and durable, as CONTRACT section 5 says: known ones
 * are left alone, a file that is already right is adopted, the others are written in batches. Contents are
 * not kept: they are the live snapshot's to make again, until script_store_keep(). On failure those that this call
 * created are removed again. *ret_batch (may be NULL) names what was not known before, for script_store_discard(); the
 * caller's to free with script_batch_free().
 */
struct script_batch;
int script_store_add(struct script_store *store, const struct script *scripts, size_t count,
                     struct script_batch **ret_batch, struct problems *problems, struct rtreg_error *error);

/*
 * The same for scripts that must be there already, since containers use them: one that is missing is put right, with a
 * warning in `problems`, as script_store_repair() would. Contents are kept.
 */
int script_store_restore(struct script_store *store, const struct script *scripts, size_t count,
                         struct problems *problems, struct rtreg_error *error);

/* Keeps the content of a script that no live snapshot will make any more; containers may use it. -ENOMEM. */
int script_store_keep(struct script_store *store, const struct script *script);

/*
 * Takes back a batch that was never published: removes the files that it created, and frees it. NULL is
 * allowed.
 */
void script_store_discard(struct script_store *store, struct script_batch *batch);
void script_batch_free(struct script_batch *batch);

/* Scripts that can be made again, one after the other. */
struct script_source {
	/* The name of the next one, or NULL. */
	const char *(*next)(struct script_source *source);
	/* Makes that one. *ret is the caller's, script_fini(). -ENOMEM. */
	int (*make)(const struct script_source *source, struct script *ret);
};

/*
 * Looks at every known script and puts right those whose content, owner or mode changed or which are missing,
 * by rename, each with a warning in `problems`. Cheap while nothing was touched: one stat each. Contents that are not kept
 * are `source`'s (NULL: all are kept). Fails (-EIO or the errno) only if one cannot be put right; the message names the
 * file and says what to do.
 */
int script_store_repair(struct script_store *store, struct script_source *source, struct problems *problems,
                        struct rtreg_error *error);

/*
 * At start, after everything needed was added: removes left-over dot-files and every script that is not
 * known.
 */
void script_store_sweep(struct script_store *store, struct problems *problems);

#endif
