/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state directory: one process at a time (a lock file), and generation numbers that never repeat.
 *
 *   STATE/lock         flock()ed while in use; holds the process id
 *   STATE/generation   one number: this generation and all before it may have been used
 *   STATE/rejected/    what the last failed reload had read (state/rejected.h)
 *   STATE/confirmed.json   what is confirmed while another configuration is on trial (lib/registry/record.h)
 *   STATE/runtimes/    the wrapper scripts (lib/runtimes/script_store.h)
 *   STATE/lock-ins/    what containers were started with (lib/lockins/lockins.h)
 *   STATE/default-runtime   what the others get (lib/registry/default_runtime.c)
 *
 * Numbers are reserved 1,000 at a time, durably, before the first of them is used; an orderly close writes
 * the last one that was. So after a crash the next reserved block begins.
 */
#ifndef RTREG_STATE_STATE_H
#define RTREG_STATE_STATE_H

#include <stdint.h>

#include "rtreg/rtreg.h"

struct state;

/*
 * Opens the directory, making it (0700) and its parents if missing, and takes the lock. It must belong to us,
 * and nobody else may write to it. -EBUSY: in use by another process; -EACCES, -EPERM, -ENOSPC …; the message
 * says where and what to do. *ret is the caller's.
 */
int state_open(const char *directory, struct state **ret, struct rtreg_error *error);

/* Notes the last generation used and gives the lock back. NULL is allowed. */
void state_close(struct state *state);

/* What is wrong in the state directory must not pass for what can be wrong with what was asked for. */
int state_code(int code);

/* Its descriptor, which stays the state's. */
int state_directory(const struct state *state);

/*
 * The next generation's number; reserves a block first where necessary. state_use_generation() makes it used,
 * so that the one after it is next; a reload that fails in between wastes none. Context: writer. May block.
 */
int state_next_generation(struct state *state, uint64_t *ret, struct rtreg_error *error);
void state_use_generation(struct state *state, uint64_t generation);

#endif
