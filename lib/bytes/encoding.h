/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CONTRACT C1: a byte order mark selects UTF-8, UTF-16LE or UTF-16BE; without one it is UTF-8.
 */
#ifndef RTREG_BYTES_ENCODING_H
#define RTREG_BYTES_ENCODING_H

#include <stddef.h>

#include "rtreg/rtreg.h"

/*
 * Converts `size` bytes to UTF-8 without byte order mark, malloc'ed at *ret with a NUL behind, the caller's
 * to free. -EINVAL "failed to decode configuration JSON at offset N": N counts bytes of the input from 0, to
 * the first bad one.
 */
int encoding_to_utf8(const char *bytes, size_t size, char **ret, size_t *ret_length,
                     struct rtreg_error *error);

#endif
