/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A registry to measure, in a temporary directory of its own below $TMPDIR or /tmp: `count` runtimes with names of 12 to 20 bytes, the same in
 * every run. No runtime of it is ever started: they have a type, not a path.
 */
#ifndef RTREG_BENCH_WORLD_H
#define RTREG_BENCH_WORLD_H

#include "base/text.h"
#include "bench/bench.h"

struct world_name {
	const char *text;
	size_t length;
};

struct world {
	char directory[256], config[288], state[288], exec_root[288];
	struct rtreg_options options;
	struct rtreg *registry; /* NULL until world_open() */
	struct world_name *names;
	size_t count;
	char *letters; /* of all names */
};

/*
 * Makes the directory and a daemon.json with `count` runtimes. -ENOMEM, -EIO … To be taken away with world_fini(), after
 * a failure too.
 */
int world_init(struct world *world, size_t count);
/* Opens a registry on it for readers of `flavor`. */
int world_open(struct world *world, const struct rcu_flavor_struct *flavor, struct rtreg_error *error);
/* A daemon.json with the runtimes of this world and one label, which tells one from the next. */
int world_configuration(const struct world *world, unsigned long label, struct text *ret);
/* Closes the registry, if it is open, and removes the directory. */
void world_fini(struct world *world);

#endif
