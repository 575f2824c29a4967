/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lib/base/arena.h on pages of its own, which can be made read-only, and are unmapped when freed. */
#ifndef RTREG_TEST_GUARDED_ARENA_H
#define RTREG_TEST_GUARDED_ARENA_H

#include <stdbool.h>

#include "base/arena.h"

/* From now on whoever writes to anything in `arena` dies by SIGSEGV. */
void arena_protect(struct arena *arena);

#endif
