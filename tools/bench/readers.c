/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/readers.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* So that one name does not follow from the one before. */
static void shuffle(struct world_name *names, size_t count)
{
	uint64_t state = 5;

	for (size_t i = count; i > 1; i--) {
		const struct world_name swapped = names[i - 1];
		size_t j;

		state = state * 6364136223846793005u + 1442695040888963407u;
		j = (size_t)((state >> 33) % i);
		names[i - 1] = names[j];
		names[j] = swapped;
	}
}

int readers_init(struct readers *readers, const struct world *world, size_t count, unsigned threads)
{
	struct world_name *names = calloc(count, sizeof(*names));

	*readers = (struct readers){.registry = world->registry, .names = names, .count = count};
	readers->places = aligned_alloc(CACHE_LINE, threads * sizeof(*readers->places));
	if (!names || !readers->places)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		names[i] = world->names[i * (world->count / count)];
	shuffle(names, count);
	for (unsigned i = 0; i < threads; i++)
		readers->places[i] = (struct reader_place){.at = i * (count / threads) % count};
	pthread_mutex_init(&readers->mutex, NULL);
	pthread_rwlock_init(&readers->rwlock, NULL);
	readers->raw = rtreg_pin(world->registry);
	return 0;
}

void readers_fini(struct readers *readers)
{
	rtreg_unpin(readers->raw);
	free(readers->places);
	free((void *)readers->names);
}
