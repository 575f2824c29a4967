/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_BLOCK ((size_t)4096)
#define MAX_BLOCK   ((size_t)1 << 20)
#define MIN_MAPPING ((size_t)1 << 18)
#define ALIGNMENT   (_Alignof(struct aligned))

/* What there is in an arena. Values are many, and twice that would be between most of them and the strings before. */
struct aligned {
	void *pointer;
	uint64_t number;
};

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *blocks; /* the newest first */
	size_t next_size;
};

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->next_size = FIRST_BLOCK;
	return arena;
}

/*
 * Large blocks are mappings of their own. What takes the place of a large snapshot is made before that one goes: in the
 * heap the two would leave holes of their size in turn, here all memory of the old one is the system's again.
 */
static struct block *block_allocate(size_t size)
{
	struct block *block;

	if (size < MIN_MAPPING)
		return calloc(1, size);
	block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return block == MAP_FAILED ? NULL : block;
}

static void block_free(struct block *block)
{
	size_t size = sizeof(*block) + block->size;

	if (size < MIN_MAPPING)
		free(block);
	else
		munmap(block, size);
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		block_free(block);
	}
	free(arena);
}

/* A large piece gets a block of its own, behind the current one, so that the rest of that is not lost. */
static struct block *block_new(struct arena *arena, size_t need)
{
	size_t size = need > arena->next_size / 4 ? need : arena->next_size;
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = block_allocate(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = size;
	if (arena->blocks && size == need) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
		return block;
	}
	if (arena->next_size < MAX_BLOCK)
		arena->next_size *= 2;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

static void *arena_take(struct arena *arena, size_t size, size_t alignment)
{
	struct block *block = arena->blocks;
	size_t offset = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;

	if (!block || offset > block->size || size > block->size - offset) {
		block = block_new(arena, size ? size : 1);
		if (!block)
			return NULL;
		offset = 0;
	}
	block->used = offset + size;
	return block->data + offset;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return arena_take(arena, size, ALIGNMENT);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *string, size_t length)
{
	char *copy = arena_take(arena, length + 1, 1);

	if (!copy)
		return NULL;
	memcpy(copy, string, length);
	copy[length] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
	return arena_strndup(arena, string, strlen(string));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		text = NULL;
		return NULL;
	}
	return arena_strndup(arena, text, (size_t)length);
}
