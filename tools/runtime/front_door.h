/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtreg-runtime, from the command line to the exit code (docs/front-door.md). */
#ifndef RTREG_TOOLS_RUNTIME_FRONT_DOOR_H
#define RTREG_TOOLS_RUNTIME_FRONT_DOOR_H

#include "base/arena.h"
#include "runtime/held.h"
#include "runtime/invocation.h"

#define EXIT_OWN_FAILURE 125

/* All that one command works with. */
struct front_door {
	const struct invocation *invocation;
	struct arena *arena;
	struct state_dir state;
	struct lockins lockins;
	char root[PATH_MAX];   /* absolute; "": none */
	const char *container; /* NULL: the command is about none */
	struct held held;
	bool created;  /* it was made for this command, and goes if that fails */
	int exit_code; /* for an error */
};

/* What main() does. */
int front_door_main(int argc, char *argv[]);

/* --- begin.c --- */

/* Sees to it that a container which is to begin is locked in: door->held. */
int begin_container(struct front_door *door, struct rtreg_error *error);

/* --- known.c --- */

/*
 * Whether the runtime `path` knows the container, by its `state`. It must say so: -EPROTO if it fails for any other
 * reason, -ETIMEDOUT if it does not answer within 10 s, or why it cannot be executed.
 */
int known_ask(struct front_door *door, const char *path, bool *ret_known, struct rtreg_error *error);

/* --- about.c --- */

void about_version(void);
void about_help(void);

#endif
