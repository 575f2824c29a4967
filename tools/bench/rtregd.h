/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtreg's own programs, where they are measured from outside: how they are found, and an rtregd as a struct server. Looked
 * for in the folders of $RTREG_BENCH_PATH alone, if it is set; else beside this program, where the build or the
 * installation puts them, and in those of $PATH.
 */
#ifndef RTREG_BENCH_RTREGD_H
#define RTREG_BENCH_RTREGD_H

#include <limits.h>

#include "bench/server.h"
#include "bench/world.h"

/* -ENOENT, which `error` tells. */
int program_find(const char *name, char ret[static PATH_MAX], struct rtreg_error *error);
/*
 * Starts rtregd on the configuration of a world, with `threads` (a number) for requests. `server` has its place; how to
 * wait for it and how to end it is in server.h.
 */
int rtregd_start(struct server *server, const char *program, const struct world *world, const char *threads);
/* Sends a request on a connection of its own; *ret is the whole reply, appended. `body` NULL: none. */
int rtregd_ask(const struct server *server, const char *method, const char *target, const char *body,
               struct text *ret);

#endif
