/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* --- lists of retired snapshots --- */

static void list_init(struct lifetime_list *list)
{
	*list = (struct lifetime_list){.last = &list->first};
}

static void list_append(struct lifetime_list *list, struct lifetime *lifetime)
{
	lifetime->next = NULL;
	*list->last = lifetime;
	list->last = &lifetime->next;
	list->count++;
}

/* Moves all of `from` to the end of `to`. */
static void list_move(struct lifetime_list *to, struct lifetime_list *from)
{
	if (from->count == 0)
		return;
	*to->last = from->first;
	to->last = from->last;
	to->count += from->count;
	list_init(from);
}

/* Takes those out of `list` that nobody pins. */
static void list_take_unpinned(struct lifetime_list *list, struct lifetime_list *ret)
{
	struct lifetime_list kept;
	struct lifetime *next;

	list_init(&kept);
	list_init(ret);
	for (struct lifetime *lifetime = list->first; lifetime; lifetime = next) {
		next = lifetime->next;
		list_append(lifetime->pins == 0 ? ret : &kept, lifetime);
	}
	list_init(list);
	list_move(list, &kept);
}

static bool list_has_unpinned(const struct lifetime_list *list)
{
	for (const struct lifetime *lifetime = list->first; lifetime; lifetime = lifetime->next)
		if (lifetime->pins == 0)
			return true;
	return false;
}

static void free_all(struct lifetime_list *list, struct statistics *statistics)
{
	struct lifetime *next;

	for (struct lifetime *lifetime = list->first; lifetime; lifetime = next) {
		next = lifetime->next;
		snapshot_free(lifetime->snapshot);
		free(lifetime);
	}
	statistics_count(statistics, COUNT_FREED, list->count);
}

/* --- the reclaimer --- */

static void grace_period(struct store *store)
{
	int64_t began_ns = statistics_now_ns();

	store->head.flavor->update_synchronize_rcu();
	tsan_acquire(store->head.flavor);
	if (store->statistics)
		histogram_add(&store->statistics->grace_periods, statistics_now_ns() - began_ns);
}

/*
 * Waits for something to do; false once the store is stopping and nothing is left. Called with the lock held.
 */
static bool wait_for_work(struct store *store)
{
	for (;;) {
		if (store->waiting.count > 0 || list_has_unpinned(&store->held))
			return true;
		if (store->stopping && store->held.count == 0)
			return false;
		pthread_cond_wait(&store->work, &store->lock);
	}
}

/*
 * Context: the reclaimer's thread, which is not registered with liburcu: it never reads, and synchronize_rcu
 * works from an unregistered thread in every flavour.
 */
static void *reclaim(void *argument)
{
	struct store *store = argument;
	struct lifetime_list unused;

	pthread_mutex_lock(&store->lock);
	while (wait_for_work(store)) {
		list_move(&store->passing, &store->waiting);
		if (store->passing.count > 0) {
			pthread_mutex_unlock(&store->lock);
			grace_period(store);
			pthread_mutex_lock(&store->lock);
			list_move(&store->held, &store->passing);
			pthread_cond_broadcast(&store->room);
		}
		list_take_unpinned(&store->held, &unused);
		pthread_mutex_unlock(&store->lock);
		free_all(&unused, store->statistics);
		pthread_mutex_lock(&store->lock);
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* With all signals blocked: they are the engine's threads' business. */
static int start_reclaimer(struct store *store)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&store->reclaimer, NULL, reclaim, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_setname_np(store->reclaimer, "rtreg-reclaim");
	return -r;
}

int store_init(struct store *store, const struct rcu_flavor_struct *flavor, struct statistics *statistics)
{
	pthread_condattr_t monotonic;
	int r;

	*store = (struct store){.head.flavor = flavor, .statistics = statistics};
	list_init(&store->waiting);
	list_init(&store->passing);
	list_init(&store->held);
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->work, NULL);
	pthread_cond_init(&store->room, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = start_reclaimer(store);
	if (r == 0)
		return 0;
	pthread_cond_destroy(&store->room);
	pthread_cond_destroy(&store->work);
	pthread_mutex_destroy(&store->lock);
	return r;
}

void store_fini(struct store *store)
{
	store_retire(store, store_publish(store, NULL));
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->reclaimer, NULL);
	pthread_cond_destroy(&store->room);
	pthread_cond_destroy(&store->work);
	pthread_mutex_destroy(&store->lock);
}

/* --- publishing --- */

int store_prepare(struct store *store, struct rtreg_snapshot *snapshot)
{
	struct lifetime *lifetime = calloc(1, sizeof(*lifetime));

	if (!lifetime)
		return -ENOMEM;
	lifetime->store = store;
	lifetime->snapshot = snapshot;
	snapshot->lifetime = lifetime;
	return 0;
}

void store_forget(struct rtreg_snapshot *snapshot)
{
	free(snapshot->lifetime);
	snapshot->lifetime = NULL;
}

struct rtreg_snapshot *store_publish(struct store *store, struct rtreg_snapshot *snapshot)
{
	struct rtreg_snapshot *old;

	pthread_mutex_lock(&store->lock);
	old = (struct rtreg_snapshot *)store->head.published;
	rcu_publish(store->head.published, (const struct rtreg_snapshot *)snapshot); /* the visible instant */
	pthread_mutex_unlock(&store->lock);
	return old;
}

void store_retire(struct store *store, struct rtreg_snapshot *snapshot)
{
	if (!snapshot)
		return;
	pthread_mutex_lock(&store->lock);
	snapshot->lifetime->retired = true;
	list_append(&store->waiting, snapshot->lifetime);
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
}

const struct rtreg_snapshot *store_live(const struct store *store)
{
	return store->head.published;
}

static size_t waiting_count(const struct store *store)
{
	return store->waiting.count + store->passing.count;
}

int store_wait_room(struct store *store, int timeout_ms)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&store->lock);
	if (waiting_count(store) > STORE_MAX_WAITING)
		statistics_count(store->statistics, COUNT_ROOM_WAITS, 1);
	while (waiting_count(store) > STORE_MAX_WAITING && r == 0)
		r = pthread_cond_timedwait(&store->room, &store->lock, &until);
	if (waiting_count(store) <= STORE_MAX_WAITING)
		r = 0;
	pthread_mutex_unlock(&store->lock);
	return r ? -EBUSY : 0;
}

/* --- pins --- */

/* The store is the first member of struct rtreg. */
static struct store *store_of(struct rtreg *registry)
{
	return (struct store *)(void *)registry;
}

const struct rtreg_snapshot *rtreg_pin(struct rtreg *registry)
{
	struct store *store = store_of(registry);
	const struct rtreg_snapshot *snapshot;

	pthread_mutex_lock(&store->lock);
	snapshot = store->head.published;
	snapshot->lifetime->pins++;
	pthread_mutex_unlock(&store->lock);
	return snapshot;
}

void store_pin(const struct rtreg_snapshot *snapshot)
{
	struct store *store = snapshot ? snapshot->lifetime->store : NULL;

	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	snapshot->lifetime->pins++;
	pthread_mutex_unlock(&store->lock);
}

void rtreg_unpin(const struct rtreg_snapshot *snapshot)
{
	struct lifetime *lifetime;
	struct store *store;

	if (!snapshot)
		return;
	lifetime = snapshot->lifetime;
	store = lifetime->store;
	pthread_mutex_lock(&store->lock);
	if (--lifetime->pins == 0 && lifetime->retired)
		pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
}

static size_t list_pinned(const struct lifetime_list *list, struct rtreg_pinned *ret, size_t size,
                          size_t count)
{
	for (const struct lifetime *lifetime = list->first; lifetime; lifetime = lifetime->next) {
		if (lifetime->pins == 0)
			continue;
		if (count < size)
			ret[count] = (struct rtreg_pinned){.generation = lifetime->snapshot->head.generation,
			                                   .count = lifetime->pins};
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
		statistics->pinned += lifetime->pins > 0;
		statistics->pins += lifetime->pins;
	}
}

void store_statistics(struct store *store, struct rtreg_statistics *ret)
{
	pthread_mutex_lock(&store->lock);
	ret->waiting = waiting_count(store);
	add_pins(&store->held, ret);
	add_pins(&store->passing, ret);
	add_pins(&store->waiting, ret);
	pthread_mutex_unlock(&store->lock);
}
