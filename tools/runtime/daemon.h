/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rtreg-runtime asks of rtregd, at RTREG_SOCKET, else /run/rtreg/rtreg.sock. */
#ifndef RTREG_TOOLS_RUNTIME_DAEMON_H
#define RTREG_TOOLS_RUNTIME_DAEMON_H

#include "base/arena.h"
#include "lockins/name.h"

/*
 * Locks a container in for this boot, with the runtime called `runtime` ("": the default). Takes at most 5 s.
 * *ret_locked, in the arena: that member of the lock-in; NULL if it was not made now, but before.
 * *ret_exit_code, set where this fails: what an engine is to see.
 */
int daemon_lock_in(struct arena *arena, const struct lock_in_name *name, const char *runtime,
                   const char *boot_id, const char **ret_locked, int *ret_exit_code,
                   struct rtreg_error *error);

/*
 * Removes this very lock-in, in at most 1 s. 0 also where it has gone already, or another is in its place.
 */
int daemon_unlock(const struct lock_in_name *name, const char *locked, struct rtreg_error *error);

#endif
