/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pinning, and telling of pins. Why the reclaimer misses none is told in docs/concurrency.md. */
#include "store/store.h"

uint64_t pins_count(const struct pins *pins)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < SLOT_COUNT; i++)
		count -= atomic_load_explicit(&pins->cells[i].unpins, memory_order_acquire);
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		count += atomic_load_explicit(&pins->cells[i].pins, memory_order_relaxed);
	return count;
}

/* The store is the first member of struct rtreg. */
static struct store *store_of(struct rtreg *registry)
{
	return (struct store *)(void *)registry;
}

/* --- without a slot --- */

static const struct rtreg_snapshot *pin_locked(struct store *store)
{
	const struct rtreg_snapshot *snapshot;

	pthread_mutex_lock(&store->lock);
	snapshot = store->head.published;
	pins_add(&snapshot->lifetime->pins, 0);
	pthread_mutex_unlock(&store->lock);
	return snapshot;
}

/* Called with the lock held. */
static void ask_for_recount(struct lifetime *lifetime)
{
	lifetime->recount = true;
	lifetime->store->recount = true;
	pthread_cond_signal(&lifetime->store->work);
}

static void unpin_locked(struct lifetime *lifetime)
{
	struct store *store = lifetime->store;

	pthread_mutex_lock(&store->lock);
	pins_return(&lifetime->pins, 0);
	if (atomic_load_explicit(&lifetime->retired, memory_order_relaxed))
		ask_for_recount(lifetime);
	pthread_mutex_unlock(&store->lock);
}

/* --- with one: what is rare is out of line, so that the usual way saves no registers for it --- */

static inline const struct rtreg_snapshot *pin_in(struct store *store, unsigned slot)
{
	const struct rtreg_snapshot *snapshot;
	uint64_t seq = slot_enter(slot, SECTION_PIN);

	snapshot = __atomic_load_n(&store->head.published, __ATOMIC_ACQUIRE);
	pins_add(&snapshot->lifetime->pins, slot);
	slot_leave(slot, SECTION_PIN, seq);
	return snapshot;
}

static __attribute__((noinline)) void tell_and_leave(struct lifetime *lifetime, unsigned slot, uint64_t seq)
{
	struct store *store = lifetime->store;

	pthread_mutex_lock(&store->lock);
	ask_for_recount(lifetime);
	pthread_mutex_unlock(&store->lock);
	slot_leave(slot, SECTION_UNPIN, seq);
}

static inline void unpin_in(struct lifetime *lifetime, unsigned slot)
{
	uint64_t seq = slot_enter(slot, SECTION_UNPIN);

	pins_return(&lifetime->pins, slot);
	/* Now it may be counted; it is not freed before the section ends. */
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&lifetime->retired, memory_order_relaxed), 0))
		tell_and_leave(lifetime, slot, seq);
	else
		slot_leave(slot, SECTION_UNPIN, seq);
}

/* --- who knows which --- */

static __attribute__((noinline)) const struct rtreg_snapshot *pin_first(struct store *store)
{
	unsigned slot = slot_claim();

	return slot != 0 ? pin_in(store, slot) : pin_locked(store);
}

static __attribute__((noinline)) void unpin_first(struct lifetime *lifetime)
{
	unsigned slot = slot_claim();

	if (slot != 0)
		unpin_in(lifetime, slot);
	else
		unpin_locked(lifetime);
}

const struct rtreg_snapshot *rtreg_pin(struct rtreg *registry)
{
	unsigned slot = slot_index;

	return __builtin_expect(slot != 0, 1) ? pin_in(store_of(registry), slot)
	                                      : pin_first(store_of(registry));
}

void rtreg_unpin(const struct rtreg_snapshot *snapshot)
{
	unsigned slot = slot_index;

	if (!snapshot)
		return;
	if (__builtin_expect(slot != 0, 1))
		unpin_in(snapshot->lifetime, slot);
	else
		unpin_first(snapshot->lifetime);
}

/* No section: the pin that there is keeps the snapshot, and who counts its return counts this one too. */
void store_pin(const struct rtreg_snapshot *snapshot)
{
	struct store *store = snapshot ? snapshot->lifetime->store : NULL;

	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	pins_add(&snapshot->lifetime->pins, 0);
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
