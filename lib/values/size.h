/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes with a unit, as default-shm-size takes them (CONTRACT C9). */
#ifndef RTREG_VALUES_SIZE_H
#define RTREG_VALUES_SIZE_H

#include <stdint.h>

#include "rtreg/rtreg.h"

/*
 * "64", "128M", "1GiB", "1.5g", "64 MB" → bytes (units are powers of 1024). -EINVAL with `invalid size: 'x'`
 * or `invalid suffix: 'xx'`, also for a negative size and one past 64 bits.
 */
int size_parse(const char *string, int64_t *ret_bytes, struct rtreg_error *error);

#endif
