/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked before the library, it takes the place of lib/base/arena.c. */
#include "guarded_arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK     ((size_t)64 * 1024)
#define ALIGNMENT (_Alignof(max_align_t))

struct block {
	struct block *next;
	size_t size, used; /* with this head */
};

struct arena {
	struct block *blocks;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		munmap(block, block->size);
	}
	free(arena);
}

void arena_protect(struct arena *arena)
{
	for (struct block *block = arena->blocks; block; block = block->next)
		if (mprotect(block, block->size, PROT_READ) < 0)
			abort();
}

static bool add_block(struct arena *arena, size_t need)
{
	size_t size = (sizeof(struct block) + need + ALIGNMENT + BLOCK - 1) / BLOCK * BLOCK;
	struct block *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		return false;
	*block = (struct block){.next = arena->blocks, .size = size, .used = sizeof(*block)};
	arena->blocks = block;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	size_t offset = block ? (block->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : 0;

	if (!block || offset + size > block->size) {
		if (!add_block(arena, size))
			return NULL;
		block = arena->blocks;
		offset = (block->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	}
	block->used = offset + size;
	return (char *)block + offset;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(count, size, &total) ? NULL : arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *string, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (copy)
		memcpy(copy, string, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
	return arena_strndup(arena, string, strlen(string));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	char *string, *copy = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&string, format, args);
	va_end(args);
	if (length >= 0) {
		copy = arena_strndup(arena, string, (size_t)length);
		free(string);
	}
	return copy;
}
