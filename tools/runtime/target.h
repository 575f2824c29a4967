/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a lock-in to what is executed, and executing it. */
#ifndef RTREG_TOOLS_RUNTIME_TARGET_H
#define RTREG_TOOLS_RUNTIME_TARGET_H

#include "base/arena.h"
#include "lockins/lock_in.h"
#include "runtime/invocation.h"
#include "runtime/state_dir.h"

/*
 * The file to execute for a runtime, in the arena: its wrapper in this state directory, its binary, or what the
 * shim of runc would execute. -ENOENT or -EACCES if that cannot be executed, -ELOOP if it is rtreg-runtime itself,
 * -EINVAL for a shim without a runtime binary.
 */
int target_find(struct arena *arena, const struct state_dir *state, const struct rtreg_lock_in *runtime,
                const char **ret, struct rtreg_error *error);

/*
 * Some engines hand no PATH on (Podman's later commands): gives us, and so whoever is executed, the one of a system
 * service then, since what a lock-in names may be a bare name, and its script executes one. Once, at the start.
 */
int target_complete_environment(struct rtreg_error *error);

/*
 * Counts, in the environment, how often rtreg-runtime has led to itself: -ELOOP when it is too often. Once, before
 * anything is executed.
 */
int target_guard(struct rtreg_error *error);

/* Becomes `path`, with all arguments unchanged. Returns only if it cannot: as target_failed(). */
int target_exec(const char *path, char **argv, struct rtreg_error *error);

/* Tells why `path` was not executed: -ENOENT or -EACCES. */
int target_failed(const char *path, int code, struct rtreg_error *error);

/*
 * argv of the question whether a runtime knows a container: `state`, behind the same global options. The log
 * is not to tell of one that it does not know. NULL without memory.
 */
char **target_state_arguments(struct arena *arena, const struct invocation *invocation,
                              const char *container);

#endif
