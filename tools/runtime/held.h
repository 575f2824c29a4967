/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock-in of the container that a command is about, as it was at the start. */
#ifndef RTREG_TOOLS_RUNTIME_HELD_H
#define RTREG_TOOLS_RUNTIME_HELD_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "lockins/lockins.h"
#include "runtime/state_dir.h"

/* Begin with HELD_NONE. */
struct held {
	bool found;
	struct lock_in_name name;
	struct rtreg_lock_in lock_in;
	int fd; /* the very file */
};
#define HELD_NONE ((struct held){.fd = -1})

void held_fini(struct held *held);

/* Makes `root` (NULL or "": none) absolute. In PATH_MAX bytes; -ENAMETOOLONG, or what getcwd(3) says. */
int held_absolute_root(const char *root, char ret[PATH_MAX]);

/*
 * Looks for a lock-in under this root, which is absolute, then for one under none that was made on purpose;
 * held->found tells. What cannot be the name of a container has none. It must belong to whom the state directory belongs. `held` is HELD_NONE.
 */
int held_find(struct held *held, const struct lockins *lockins, const struct state_dir *state,
              const char *root, const char *id, struct rtreg_error *error);

/* Removes this very lock-in: by the daemon, or directly. 0 also where it has gone. */
int held_unlock(const struct held *held, const struct lockins *lockins, struct rtreg_error *error);

static inline void lockins_finip(struct lockins *lockins)
{
	lockins_fini(lockins);
}
#define _cleanup_held_    _cleanup_(held_fini)
#define _cleanup_lockins_ _cleanup_(lockins_finip)

#endif
