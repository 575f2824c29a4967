/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the configuration's files were when somebody looked: device, inode, size, times. Two such notes tell
 * whether there is anything new to read (docs/watch.md).
 */
#ifndef RTREGD_SEEN_H
#define RTREGD_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Beside the configuration file: the directory with its drop-ins. */
#define FRAGMENTS_SUFFIX ".d"

struct seen_file {
	char *path;
	int error; /* negative errno where it cannot be looked at; the rest is 0 then */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Zeroed is "nothing was looked at", which equals no look at anything. */
struct seen {
	struct seen_file *files; /* the configuration file, the directory, the fragments by name */
	size_t count;
	struct seen_file own; /* the fragment that the registry writes; without a path */
};

/* Whether a name in the directory is a fragment's. */
bool seen_is_fragment(const char *name);

/* Looks at all files of the configuration; what cannot be looked at is noted as such. -ENOMEM. */
int seen_look(const char *config_file, struct seen *ret);
void seen_fini(struct seen *seen);
/*
 * Waits, for some milliseconds, until whatever is written from now on has another time than what was seen.
 * May block.
 */
void seen_wait_tick(const struct seen *seen);

bool seen_equal(const struct seen *a, const struct seen *b);
/* Whether the fragment that the registry writes is the same in both. */
bool seen_own_equal(const struct seen *a, const struct seen *b);

static inline void seen_finip(struct seen *seen)
{
	seen_fini(seen);
}
#define _cleanup_seen_ _cleanup_(seen_finip)

#endif
