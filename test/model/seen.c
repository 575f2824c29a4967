/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *hashes; /* open addressing, linear probing; 0 is an empty place */
static size_t places, count;

static uint64_t hash_of(const void *state, size_t size)
{
	const unsigned char *bytes = state;
	uint64_t hash = 0x9e3779b97f4a7c15u, word;

	for (size_t i = 0; i < size; i += sizeof(word)) {
		word = 0;
		memcpy(&word, bytes + i, size - i < sizeof(word) ? size - i : sizeof(word));
		hash = (hash ^ word) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
	}
	return hash | (hash == 0);
}

static bool insert(uint64_t hash)
{
	size_t i = hash & (places - 1);

	while (hashes[i] != 0 && hashes[i] != hash)
		i = (i + 1) & (places - 1);
	if (hashes[i] == hash)
		return false;
	hashes[i] = hash;
	count++;
	return true;
}

/* `size` is a power of 2. */
static void make(size_t size)
{
	hashes = calloc(size, sizeof(hashes[0]));
	places = size;
	count = 0;
	if (!hashes) {
		fputs("no memory\n", stderr);
		exit(2);
	}
}

static void grow(void)
{
	uint64_t *old = hashes;
	size_t size = places;

	make(2 * size);
	for (size_t i = 0; i < size; i++)
		if (old[i] != 0)
			insert(old[i]);
	free(old);
}

void seen_start(void)
{
	make((size_t)1 << 16);
}

bool seen_add(const void *state, size_t size)
{
	if (2 * count > places)
		grow();
	return insert(hash_of(state, size));
}

size_t seen_end(void)
{
	free(hashes);
	hashes = NULL;
	return count;
}
