/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of pinning is not inlined (<rtreg/inline.h>), and telling of pins. Why the reclaimer misses none is told in
 * docs/concurrency.md.
 */
#include "store/store.h"

uint64_t pins_count(const struct rtreg_pins *pins)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < RTREG_PIN_SLOTS; i++)
		count -= __atomic_load_n(&pins->cells[i].unpins, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < RTREG_PIN_SLOTS; i++)
		count += __atomic_load_n(&pins->cells[i].pins, __ATOMIC_RELAXED);
	return count;
}

/* The store is the first member of struct rtreg. */
static struct store *store_of(struct rtreg *registry)
{
	return (struct store *)(void *)registry;
}

/* --- what is inlined elsewhere --- */

#undef rtreg_pin
#undef rtreg_unpin

const struct rtreg_snapshot *rtreg_pin(struct rtreg *registry)
{
	return rtreg_pin_inline(registry);
}

void rtreg_unpin(const struct rtreg_snapshot *snapshot)
{
	rtreg_unpin_inline(snapshot);
}

/* --- what is rare --- */

/* Called with the lock held. */
static void ask_for_recount(struct lifetime *lifetime)
{
	lifetime->recount = true;
	lifetime->store->recount = true;
	pthread_cond_signal(&lifetime->store->work);
}

void rtreg_unpin_retired(struct rtreg_pins *pins)
{
	struct lifetime *lifetime = (struct lifetime *)(void *)pins;
	struct store *store = lifetime->store;

	pthread_mutex_lock(&store->lock);
	ask_for_recount(lifetime);
	pthread_mutex_unlock(&store->lock);
}

static const struct rtreg_snapshot *pin_locked(struct store *store)
{
	const struct rtreg_snapshot *snapshot;

	pthread_mutex_lock(&store->lock);
	snapshot = store->head.published;
	rtreg_cell_pin(&snapshot->head.pins->cells[0]);
	pthread_mutex_unlock(&store->lock);
	return snapshot;
}

static void unpin_locked(struct lifetime *lifetime)
{
	struct store *store = lifetime->store;

	pthread_mutex_lock(&store->lock);
	rtreg_cell_unpin(&lifetime->pins.cells[0]);
	if (__atomic_load_n(&lifetime->pins.retired, __ATOMIC_RELAXED))
		ask_for_recount(lifetime);
	pthread_mutex_unlock(&store->lock);
}

const struct rtreg_snapshot *rtreg_pin_first(struct rtreg *registry)
{
	return slot_claim() ? rtreg_pin_inline(registry) : pin_locked(store_of(registry));
}

void rtreg_unpin_first(const struct rtreg_snapshot *snapshot)
{
	if (!snapshot)
		return;
	if (slot_claim())
		rtreg_unpin_inline(snapshot);
	else
		unpin_locked(lifetime_of(snapshot));
}

/* No section: the pin that there is keeps the snapshot, and who counts its return counts this one too. */
void store_pin(const struct rtreg_snapshot *snapshot)
{
	struct store *store = snapshot ? lifetime_of(snapshot)->store : NULL;

	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	rtreg_cell_pin(&snapshot->head.pins->cells[0]);
	pthread_mutex_unlock(&store->lock);
}

/* --- telling of them --- */

static size_t list_pinned(const struct lifetime_list *list, struct rtreg_pinned *ret, size_t size,
                          size_t count)
{
	for (const struct lifetime *lifetime = list->first; lifetime; lifetime = lifetime->next) {
		uint64_t pins = pins_count(&lifetime->pins);

		if (pins == 0)
			continue;
		if (count < size)
			ret[count] = (struct rtreg_pinned){.generation = lifetime->snapshot->head.generation,
			                                   .count = pins};
		count++;
	}
	return count;
}

size_t rtreg_pinned(struct rtreg *registry, struct rtreg_pinned *ret, size_t size)
{
	struct store *store = store_of(registry);
	size_t count;

	pthread_mutex_lock(&store->lock);
	count = list_pinned(&store->held, ret, size, 0);
	count = list_pinned(&store->passing, ret, size, count);
	count = list_pinned(&store->waiting, ret, size, count);
	pthread_mutex_unlock(&store->lock);
	return count;
}

static void add_pins(const struct lifetime_list *list, struct rtreg_statistics *statistics)
{
	for (const struct lifetime *lifetime = list->first; lifetime; lifetime = lifetime->next) {
		uint64_t pins = pins_count(&lifetime->pins);

		statistics->pinned += pins > 0;
		statistics->pins += pins;
	}
}

void store_statistics(struct store *store, struct rtreg_statistics *ret)
{
	pthread_mutex_lock(&store->lock);
	ret->waiting = store->waiting.count + store->passing.count;
	add_pins(&store->held, ret);
	add_pins(&store->passing, ret);
	add_pins(&store->waiting, ret);
	pthread_mutex_unlock(&store->lock);
}
