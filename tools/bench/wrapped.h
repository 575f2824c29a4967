/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For `reload`: configurations whose runtimes all have arguments, so that each has a wrapper script. Their binary does not
 * exist, and so nothing is ever started to ask it for its features.
 */
#ifndef RTREG_BENCH_WRAPPED_H
#define RTREG_BENCH_WRAPPED_H

#include "bench/world.h"

/*
 * A daemon.json as a person or `jq .` writes it: one label, the first `count` runtimes of the world, and one more called
 * `added` if that is not 0.
 */
int wrapped_configuration(const struct world *world, size_t count, unsigned long label, unsigned long added,
                          struct text *ret);
/* Makes it the world's daemon.json; *ret_size (NULL: not wanted) is its size. */
int wrapped_write(const struct world *world, size_t count, unsigned long label, unsigned long added,
                  size_t *ret_size);

/* What the wrapper scripts of a world's state directory are, to be written once more without any care. */
struct bare_file {
	char *name;
	struct text content;
};
struct bare_files {
	struct bare_file *files;
	size_t count;
};
int bare_files_read(const struct world *world, struct bare_files *ret);
void bare_files_fini(struct bare_files *bare);
/* Into the new directory `path`: open, write and close, nothing is synced. */
int bare_files_write(const struct bare_files *bare, const char *path);

/* Bytes of this process's memory that belong to no file: now, and at most since memory_reset(). */
double memory_now(void);
double memory_most(void);
void memory_reset(void);

#endif
