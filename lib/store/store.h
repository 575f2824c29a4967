/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: the published pointer, the pins, and the reclaimer (docs/concurrency.md). The pointer is written
 * here and nowhere else.
 */
#ifndef RTREG_STORE_STORE_H
#define RTREG_STORE_STORE_H

#include <pthread.h>

#include "base/statistics.h"
#include "snapshot/snapshot.h"
#include "store/pins.h"
#include "store/rcu.h"

#define STORE_MAX_WAITING 64 /* snapshots that wait for a grace period before the writer has to */

/*
 * Who uses a snapshot. What is not atomic and changes is guarded by the store's lock. A page of its own beside the
 * snapshot, which nobody writes.
 */
struct lifetime {
	struct rtreg_pins pins; /* what the inline pins see */
	struct store *store;
	struct rtreg_snapshot *snapshot;
	bool settled;          /* all its pins are in the cells, but for pins of pins: see store_pin() */
	bool recount;          /* something was unpinned since the cells were last counted */
	struct lifetime *next; /* in one of the store's lists, once retired */
};

/* Of a snapshot that was prepared. */
static inline struct lifetime *lifetime_of(const struct rtreg_snapshot *snapshot)
{
	return (struct lifetime *)(void *)snapshot->head.pins;
}

struct lifetime_list {
	struct lifetime *first, **last;
	size_t count;
};

struct store {
	struct rtreg_head head;       /* what the inline readers see */
	pthread_mutex_t lock;         /* guards the pointer's changes, the lifetimes, and what follows */
	pthread_cond_t work;          /* for the reclaimer */
	pthread_cond_t room;          /* for a writer that waits, see store_wait_room() */
	struct lifetime_list waiting; /* superseded, grace period not yet begun */
	struct lifetime_list passing; /* grace period running */
	struct lifetime_list held;    /* grace period over, perhaps still pinned */
	struct statistics *statistics;
	pthread_t reclaimer;
	bool recount; /* some lifetime's is set */
	bool stopping;
};

/*
 * Starts the reclaimer. `statistics` (NULL: none) outlive the store. -ENOMEM, -EAGAIN. Context: before the registry is
 * shared.
 */
int store_init(struct store *store, const struct rcu_flavor_struct *flavor, struct statistics *statistics);

/*
 * Retires the last snapshot, waits until the reclaimer has freed everything, and ends it.
 * Context: no other thread uses the store; not in a reader section; all pins returned. May block.
 */
void store_fini(struct store *store);

/* Prepares a snapshot for publication, so that publishing cannot fail. -ENOMEM. Undone by store_forget(). */
int store_prepare(struct store *store, struct rtreg_snapshot *snapshot);
void store_forget(struct rtreg_snapshot *snapshot);

/*
 * Makes a prepared snapshot the live one, and returns the one before (NULL at open), to be given to
 * store_retire() when the writer is done with it. Context: writer.
 */
struct rtreg_snapshot *store_publish(struct store *store, struct rtreg_snapshot *snapshot);
void store_retire(struct store *store, struct rtreg_snapshot *snapshot);

/* One pin more of a snapshot that is pinned; NULL is allowed. Context: any thread. */
void store_pin(const struct rtreg_snapshot *snapshot);

/* The live snapshot. Context: writer, which alone changes it. */
const struct rtreg_snapshot *store_live(const struct store *store);

/* Fills those members that the store knows. Context: any thread. */
void store_statistics(struct store *store, struct rtreg_statistics *ret);

/*
 * Waits until at most STORE_MAX_WAITING snapshots wait for a grace period; -EBUSY after `timeout_ms`.
 * Context: writer.
 */
int store_wait_room(struct store *store, int timeout_ms);

#endif
