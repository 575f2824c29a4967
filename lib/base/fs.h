/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: whole reads and writes, durable directories, and what to tell a person whose disk is full. */
#ifndef RTREG_BASE_FS_H
#define RTREG_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all `size` bytes, however many calls that takes. */
int fs_write_all(int fd, const void *bytes, size_t size);

/* Reads up to `size` bytes, fewer only where the file ends. *ret_size is how many. */
int fs_read_full(int fd, void *buffer, size_t size, size_t *ret_size);

/*
 * Gives a file that was opened with O_TMPFILE its name in `directory`. -EEXIST: there is one. And whether this errno
 * of opening such a file means that the file system, or the kernel, does not have them.
 */
int fs_link_unnamed(int fd, int directory, const char *name);
bool fs_lacks_tmpfile(int number);

/* Makes the entry `path` of its directory durable. */
int fs_sync_parent(const char *path);

/*
 * Removes `name` in a directory, and all that is in it, without following links. 0 also where it is missing.
 */
int fs_remove_tree(int directory, const char *name);

/* The English text of a negative errno, "No space left on device"; never NULL. Context: any thread. */
const char *fs_error_text(int code);

/* What the person who sees such an error can do, "free some space"; never NULL. */
const char *fs_error_advice(int code);

#endif
