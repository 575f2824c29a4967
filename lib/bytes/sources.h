/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a configuration that may be more than one file: the main file or a body, and the drop-ins of
 * FILE.d in order of name (docs/dropins.md). What they hold is not looked at here.
 */
#ifndef RTREG_BYTES_SOURCES_H
#define RTREG_BYTES_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "rtreg/rtreg.h"

#define DROPINS_SUFFIX    ".d"
#define DROPINS_MAX       1000
#define SOURCES_TOTAL_MAX ((size_t)64 << 20)

/* Stands for one drop-in in place of what is on disk; `bytes` NULL: as if it did not exist. */
struct overlay {
	const char *name;
	const void *bytes;
	size_t size;
};

struct source {
	char *name; /* of a drop-in, "50-kata.json"; NULL: the main file, or a body */
	char *path; /* NULL: a body */
	const char *bytes;
	size_t size;
	char *owned;   /* `bytes`, if they are ours */
	bool overlaid; /* an overlay stands in its place */
};

/* The main file or body first, if there is one, then the drop-ins. Zeroed is empty. */
struct sources {
	struct source *items;
	size_t count, capacity;
	size_t total; /* bytes of all */
};

void sources_fini(struct sources *sources);

/* `size` bytes of somebody else's, which must stay. -ENOMEM. */
int sources_add_body(struct sources *sources, const void *bytes, size_t size, struct rtreg_error *error);

/* The file at `path`. Errors: source_read()'s; -EFBIG where all together are too large. */
int sources_add_file(struct sources *sources, const char *path, struct rtreg_error *error);

/*
 * The drop-ins beside the file at `path`; `overlay` may be NULL. A missing directory is none; one that cannot
 * be read, and a drop-in that cannot, is an error that names it. What it adds before an error stays.
 */
int sources_add_dropins(struct sources *sources, const char *path, const struct overlay *overlay,
                        struct rtreg_error *error);

#endif
