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

/*
 * Takes those out of the held that nobody pins any more; counts only those of which something was unpinned. One
 * that could not be settled is known to be unpinned only when the store is closed: all pins are returned then.
 */
static void take_unpinned(struct store *store, struct lifetime_list *ret)
{
	struct lifetime_list kept;
	struct lifetime *next;

	list_init(&kept);
	list_init(ret);
	store->recount = false;
	for (struct lifetime *lifetime = store->held.first; lifetime; lifetime = next) {
		bool count = lifetime->recount && (lifetime->settled || store->stopping);

		next = lifetime->next;
		if (count)
			lifetime->recount = false;
		list_append(count && pins_count(&lifetime->pins) == 0 ? ret : &kept, lifetime);
	}
	list_init(&store->held);
	list_move(&store->held, &kept);
}

/* All that pass are held from now on, until a count says otherwise. */
static void hold(struct store *store, bool settled)
{
	for (struct lifetime *lifetime = store->passing.first; lifetime; lifetime = lifetime->next) {
		lifetime->settled = settled;
		lifetime->recount = true;
	}
	list_move(&store->held, &store->passing);
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
		if (store->waiting.count > 0 || store->recount)
			return true;
		if (store->stopping && store->held.count == 0)
			return false;
		pthread_cond_wait(&store->work, &store->lock);
	}
}

/*
 * Everything that waits, at once. All sections that could have pinned one of them end, then all reader sections
 * that could have borrowed one. Called with the lock held, and gives it back meanwhile.
 */
static void pass_all(struct store *store)
{
	bool settled;

	list_move(&store->passing, &store->waiting);
	pthread_mutex_unlock(&store->lock);
	settled = slots_settle();
	grace_period(store);
	pthread_mutex_lock(&store->lock);
	hold(store, settled);
	pthread_cond_broadcast(&store->room);
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
		if (store->waiting.count > 0)
			pass_all(store);
		take_unpinned(store, &unused);
		pthread_mutex_unlock(&store->lock);
		/* An unpin is counted before its section ends, and looks at what we are about to free. */
		if (unused.count > 0)
			slots_wait(RTREG_SECTION_UNPIN);
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

	slots_init();
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
	store->recount = true;
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
	struct lifetime *lifetime = aligned_alloc(_Alignof(struct lifetime), sizeof(*lifetime));

	if (!lifetime)
		return -ENOMEM;
	*lifetime = (struct lifetime){.store = store, .snapshot = snapshot};
	snapshot->head.pins = &lifetime->pins;
	return 0;
}

void store_forget(struct rtreg_snapshot *snapshot)
{
	free(lifetime_of(snapshot));
	snapshot->head.pins = NULL;
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
	/* After the pointer's change, and before slots_settle(): every unpin that is not counted then sees it. */
	__atomic_store_n(&snapshot->head.pins->retired, true, __ATOMIC_RELAXED);
	list_append(&store->waiting, lifetime_of(snapshot));
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
