/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CONTRACT C1: a byte order mark selects UTF-8, UTF-16LE or UTF-16BE; without one it is UTF-8.
 */
#ifndef RTREG_BYTES_ENCODING_H
#define RTREG_BYTES_ENCODING_H

#include <stddef.h>

#include "rtreg/rtreg.h"

/*
 * The text in `size` bytes as UTF-8 without byte order mark: within the bytes where they are UTF-8 already, and *ret_own
 * is NULL; else malloc'ed at *ret_own, the caller's to free. Errors as those of encoding_to_utf8().
 */
int encoding_text(const char *bytes, size_t size, const char **ret, size_t *ret_length, char **ret_own,
                  struct rtreg_error *error);

/*
 * Converts `size` bytes to UTF-8 without byte order mark, malloc'ed at *ret with a NUL behind, the caller's
 * to free. -EINVAL "failed to decode configuration JSON at offset N": N counts bytes of the input from 0, to
 * the first bad one.
 */
int encoding_to_utf8(const char *bytes, size_t size, char **ret, size_t *ret_length,
                     struct rtreg_error *error);

#endif
