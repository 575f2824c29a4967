/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An arena: memory that is handed out piece by piece and freed at once. A draft, and the snapshot that it
 * becomes, own exactly one, so that freeing a snapshot is freeing its arena. Not thread-safe; a sealed
 * snapshot no longer allocates.
 */
#ifndef RTREG_BASE_ARENA_H
#define RTREG_BASE_ARENA_H

#include <stddef.h>

#include "base/cleanup.h"

struct arena;

/* NULL without memory. */
struct arena *arena_new(void);
/* NULL is allowed. */
void arena_free(struct arena *arena);
/* Zeroed, aligned for pointers and 64-bit integers; NULL without memory. A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* As arena_alloc() for an array; NULL on overflow too. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* Copies with a NUL behind; NULL without memory. */
char *arena_strdup(struct arena *arena, const char *string);
char *arena_strndup(struct arena *arena, const char *string, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void arena_freep(struct arena **arena)
{
	arena_free(*arena);
}
#define _cleanup_arena_ _cleanup_(arena_freep)

#endif
