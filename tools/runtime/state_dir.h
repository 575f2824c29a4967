/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state directory as rtreg-runtime sees it: what is in there decides what is executed, so who owns it
 * matters before anything is read.
 */
#ifndef RTREG_TOOLS_RUNTIME_STATE_DIR_H
#define RTREG_TOOLS_RUNTIME_STATE_DIR_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "rtreg/rtreg.h"

struct state_dir {
	const char *path; /* absolute; the environment's, or the default */
	int fd;
	uid_t owner;
};

/*
 * Opens RTREG_STATE_DIR, else /var/lib/rtreg. It is trusted if only its owner can write to it, and that is root,
 * we ourselves, or, for root, the user "rtreg". Every error says what to do.
 */
int state_dir_open(struct state_dir *ret, struct rtreg_error *error);

static inline void state_dir_fini(struct state_dir *state)
{
	cleanup_closep(&state->fd);
}
#define _cleanup_state_dir_ _cleanup_(state_dir_fini)

#endif
