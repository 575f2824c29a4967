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

/* A name that is not found would be measured all the same. */
static int check_names(const struct readers *readers)
{
	struct rtreg_runtime runtime;

	for (size_t i = 0; i < readers->count; i++) {
		const struct world_name *name = &readers->names[i];
		int r = rtreg_resolve_len(readers->raw, name->text, name->length, &runtime, NULL);

		if (r == 0)
			r = rtreg_resolve_name(readers->raw, &readers->prepared[i], &runtime, NULL);
		if (r < 0 || runtime.name == name->text || strcmp(runtime.name, name->text) != 0)
			return -EPROTO;
	}
	return 0;
}

int readers_init(struct readers *readers, const struct world *world, size_t count, unsigned threads)
{
	struct world_name *names = calloc(count, sizeof(*names));

	struct rtreg_name *prepared = calloc(count, sizeof(*prepared));

	*readers = (struct readers){
	        .registry = world->registry, .names = names, .prepared = prepared, .count = count};
	readers->places = aligned_alloc(CACHE_LINE, threads * sizeof(*readers->places));
	if (!names || !prepared || !readers->places)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		names[i] = world->names[i * (world->count / count)];
	shuffle(names, count);
	for (size_t i = 0; i < count; i++)
		rtreg_name_init_len(&prepared[i], names[i].text, names[i].length);
	for (unsigned i = 0; i < threads; i++)
		readers->places[i] = (struct reader_place){.at = i * (count / threads) % count};
	pthread_mutex_init(&readers->mutex, NULL);
	pthread_rwlock_init(&readers->rwlock, NULL);
	readers->raw = rtreg_pin(world->registry);
	return check_names(readers);
}

void readers_fini(struct readers *readers)
{
	rtreg_unpin(readers->raw);
	free(readers->places);
	free((void *)readers->names);
	free((void *)readers->prepared);
}
