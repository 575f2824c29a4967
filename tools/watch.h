/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --watch: a reply shown again every second, on a terminal in its place, else as a block of its own. */
#ifndef RTREG_TOOLS_WATCH_H
#define RTREG_TOOLS_WATCH_H

#include <stdio.h>

#include "command.h"
#include "reply.h"

/* Prints a reply's tree on `out`; returns the exit code. */
typedef int (*print_fn)(struct json_object *root, FILE *out);

/*
 * Asks for `target` until an interrupt ends the program with exit code 0. What fails at the first time is
 * said, and ends it; later rtregd is waited for. Returns the exit code.
 */
int watch(const struct ctl *ctl, const char *target, print_fn print);

#endif
