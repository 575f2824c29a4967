/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runtimes that are executed as a child, because something is to be done when they have ended. */
#ifndef RTREG_TOOLS_RUNTIME_CHILD_H
#define RTREG_TOOLS_RUNTIME_CHILD_H

#include <stdbool.h>

#include "rtreg/rtreg.h"

/*
 * Runs `path` in our place: with our descriptors and process group, it gets the signals that others send us, and
 * ends if we do. *ret_status is as waitpid(2) has it. From here on all signals are blocked; child_end() ends that.
 * Errors: as target_failed(), if it was never executed; -EAGAIN, -ENOMEM.
 */
int child_run(const char *path, char **argv, int *ret_status, struct rtreg_error *error);

/* Ends this process as the child ended: the exit code for main(), unless it was a signal. */
int child_end(int status);

/* How a question was answered. */
struct child_answer {
	int status;       /* as waitpid(2) has it */
	char said[16384]; /* on stderr, as far as it fits */
};

/*
 * Runs `path` with neither input nor output, in an environment of signals as programs begin with. -ETIMEDOUT: it had
 * not ended within 10 s, and was killed; or why it cannot be executed, as a negative errno; -EAGAIN, -ENOMEM.
 */
int child_ask(const char *path, char **argv, struct child_answer *ret);

#endif
