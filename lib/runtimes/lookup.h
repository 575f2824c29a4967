/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a runtime's binary as exec would (CONTRACT C45). */
#ifndef RTREG_RUNTIMES_LOOKUP_H
#define RTREG_RUNTIMES_LOOKUP_H

#include "rtreg/rtreg.h"

/*
 * Looks `path` up, in PATH if it has no slash, and makes sure that it is a file which we may execute. *ret
 * (may be NULL) is malloc'ed. -ENOENT or -EACCES (a directory too) with `error while looking up the specified
 * runtime path: exec: "kata": executable file not found in $PATH` or the like. Context: any thread. May
 * block.
 */
int lookup_binary(const char *path, char **ret, struct rtreg_error *error);

#endif
