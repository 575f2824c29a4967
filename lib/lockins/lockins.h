/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock-ins of a state directory (docs/lockins.md):
 *
 *   STATE/lock-ins/<root>/<id>          one each, never written again
 *   STATE/lock-ins/scripts/<sha256>     the wrapper scripts that they need
 *   STATE/default-runtime               what those without one get
 *
 * The files are the truth: nothing is kept here but the descriptor of the directory. Reading and removing need no
 * registry, and work beside one in another process; making is for the one process that has the state directory.
 *
 * Context of all: any thread, any number at once; may block. What is wrong with the state directory is never -ENOENT,
 * -EACCES, -EINVAL, -EEXIST or -ESTALE: those mean something else to whoever asks for a lock-in.
 */
#ifndef RTREG_LOCKINS_LOCKINS_H
#define RTREG_LOCKINS_LOCKINS_H

#include <pthread.h>
#include <sys/types.h>

#include "base/problems.h"
#include "base/turns.h"
#include "lockins/lock_in.h"
#include "runtimes/script.h"

#define LOCKINS_DIR          "lock-ins"
#define LOCKINS_SCRIPTS_DIR  "scripts"
#define DEFAULT_RUNTIME_FILE "default-runtime"
#define LOCK_IN_SIZE_MAX     ((size_t)32 << 20) /* bytes of a file; a configuration has at most half as many */

/* Somebody's turn; on his stack. */
struct lockins_turn {
	struct turn turn;
	char name[DIGEST_LENGTH + 1 + LOCK_IN_ID_MAX + 1];
};

struct lockins {
	int state;        /* descriptor of the state directory */
	bool owned;       /* `state` is */
	uid_t owner;      /* of the state directory */
	const char *path; /* of it, for messages; not owned */
	/* Held while directories and scripts are made: whoever sees one knows that it is durable. */
	pthread_mutex_t making;
	struct turns turns;
};

/* Those below the descriptor `state`, which stays the caller's, as does `path`. */
void lockins_init(struct lockins *ret, int state, const char *path);
/*
 * Opens the state directory `path`, which stays the caller's, for reading and removing; makes nothing. It must belong
 * to us or to root, and nobody else may write to it: -EPERM. Any other negative errno, -ENOENT too: it cannot be opened.
 */
int lockins_open(struct lockins *ret, const char *path, struct rtreg_error *error);
void lockins_fini(struct lockins *lockins);

/* --- one --- */

/*
 * Reads one. *ret is the caller's; *ret_fd (NULL: not wanted) too: the descriptor of the very file, to be closed, for
 * lockins_remove_read(). -ESRCH: there is none; -EBADMSG: the file is none, not of this name, or not
 * to be trusted.
 */
int lockins_read(const struct lockins *lockins, const struct lock_in_name *name, struct rtreg_lock_in *ret,
                 int *ret_fd, struct rtreg_error *error);

/*
 * Makes one, whole or not at all; durable unless it belongs to a boot. -EEXIST, without a message: there is one.
 * Context: with the turn of the name.
 */
int lockins_create(struct lockins *lockins, const struct lock_in_name *name,
                   const struct rtreg_lock_in *lock_in, struct rtreg_error *error);

/*
 * Who makes one, and who returns one that is there, take turns for each name: so what is returned is durable, and was
 * not taken back because making it failed at last.
 */
void lockins_turn_begin(struct lockins *lockins, struct lockins_turn *turn, const struct lock_in_name *name);
void lockins_turn_end(struct lockins *lockins, struct lockins_turn *turn);

/*
 * Removes the one whose file `fd` is, as lockins_read() returned it. -ESRCH: there is none now; -ESTALE: there is
 * another now; -EBUSY: somebody who is removing it does not finish. `durable`: a power cut does not bring it back.
 */
int lockins_remove_read(const struct lockins *lockins, const struct lock_in_name *name, int fd, bool durable,
                        struct rtreg_error *error);
/*
 * Removes the one that is there, if it is that of the time `locked` (NULL: whichever, damaged ones too); durable
 * unless it belongs to a boot. -ESRCH: there is none; -ESTALE: there is another.
 */
int lockins_remove(const struct lockins *lockins, const struct lock_in_name *name, const char *locked,
                   struct rtreg_error *error);

/* --- all --- */

struct lockins_visitor {
	/*
	 * One that was read; `directory` is the descriptor of its directory. It may be taken: move it and zero it. A
	 * negative errno ends the scan.
	 */
	int (*found)(void *context, int directory, struct rtreg_lock_in *lock_in);
	/*
	 * -EINVAL: something that does not belong here; else what lockins_read() says of one, or there may be more than
	 * were found.
	 */
	void (*bad)(void *context, const struct rtreg_error *why);
	void *context;
};

/* Reads all, or those of one root (NULL: all), in no order. */
int lockins_scan(const struct lockins *lockins, const struct lock_in_name *root,
                 const struct lockins_visitor *visitor, struct rtreg_error *error);
/* How many there are, without reading them. */
int lockins_count(const struct lockins *lockins, size_t *ret, struct rtreg_error *error);
/*
 * At start: removes left-over dot-files and empty directories of roots, and makes the others durable, which a process
 * that was killed may not have done. Context: nobody makes lock-ins.
 */
int lockins_tidy(struct lockins *lockins, struct rtreg_error *error);

/* --- scripts --- */

/* Makes sure that the second copy of a script is there, right and durable. */
int lockins_keep_script(struct lockins *lockins, const struct script *script, struct rtreg_error *error);
/*
 * Reads the script that is named `name`, NAME.<sha256>, where it is kept; else from `directory` (in the
 * state directory; NULL: nowhere). *ret is the caller's, script_fini(); *ret_kept: it was kept. -EBADMSG: it is lost,
 * or the name is no script's; else it cannot be told.
 */
int lockins_read_script(const struct lockins *lockins, const char *name, const char *directory,
                        struct script *ret, bool *ret_kept, struct rtreg_error *error);
/*
 * At start: removes dot-files and, unless all are to stay, the scripts but the `count` named, in order of their
 * digests; and makes the directory durable. What fails is a warning.
 */
void lockins_sweep_scripts(struct lockins *lockins, bool all_stay, const char *const *digests, size_t count,
                           struct problems *problems);

/* --- without a lock-in --- */

/*
 * Reads STATE/default-runtime: runtime, shim, options, binary and wrapper of *ret, which is the caller's. -ESRCH:
 * there is none; -EBADMSG.
 */
int lockins_default_runtime(const struct lockins *lockins, struct rtreg_lock_in *ret,
                            struct rtreg_error *error);

#endif
