/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256. The only place that includes libsodium. */
#ifndef RTREG_BASE_DIGEST_H
#define RTREG_BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_LENGTH 64 /* hex digits */

/* The lower-case hex SHA-256 of `size` bytes. */
void digest_hex(const void *bytes, size_t size, char ret[DIGEST_LENGTH + 1]);

#endif
