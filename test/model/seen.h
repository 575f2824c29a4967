/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The set of states that were seen. It keeps hashes of 64 bits: two states will not be taken for one. */
#ifndef RTREG_TEST_SEEN_H
#define RTREG_TEST_SEEN_H

#include <stdbool.h>
#include <stddef.h>

void seen_start(void);
/* Whether this one is new. */
bool seen_add(const void *state, size_t size);
/* Forgets them; returns how many there were. */
size_t seen_end(void);

#endif
