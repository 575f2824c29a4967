/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Did you mean …?" for runtimes and lock-ins. */
#ifndef RTREG_TOOLS_NEAREST_H
#define RTREG_TOOLS_NEAREST_H

#include "command.h"

/*
 * Behind an error about a runtime that is not there: asks rtregd for those that are, and says which one is
 * near. Says nothing where none is, or rtregd does not tell.
 */
void nearest_runtime(const struct ctl *ctl, const char *name);

/*
 * Behind an error about a container that is not locked in: engines give their runtime a --root, and each has its
 * own names. Says with which the container is.
 */
void nearest_lock_in(const struct ctl *ctl, const char *id);

#endif
