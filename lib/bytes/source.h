/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a configuration file whole, and safely: a regular file of at most SOURCE_MAX bytes, or a clear
 * error. A FIFO, a device or a directory never blocks or fills memory.
 */
#ifndef RTREG_BYTES_SOURCE_H
#define RTREG_BYTES_SOURCE_H

#include <stddef.h>

#include "rtreg/rtreg.h"

#define SOURCE_MAX ((size_t)16 << 20) /* CONTRACT C12 */

/*
 * Reads `path` into malloc'ed memory at *ret, the caller's to free. Every error message names the path and
 * says what to do: -ENOENT, -EACCES, -EISDIR, -EINVAL (FIFO, device, socket), -EFBIG, or what reading said.
 */
int source_read(const char *path, char **ret, size_t *ret_size, struct rtreg_error *error);

#endif
