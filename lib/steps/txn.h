/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transaction of a reload: what to do once the new snapshot is live (on_commit), what to take back if it
 * does not come to that (on_rollback). docs/reload.md.
 *
 *   begin ──▶ prepare, prepare … ──▶ commit
 *                    │ one fails
 *                    ▼
 *                rollback, in reverse
 *
 * Context: the writer.
 */
#ifndef RTREG_STEPS_TXN_H
#define RTREG_STEPS_TXN_H

#include "rtreg/rtreg.h"

struct txn_callback {
	rtreg_callback fn;
	void *context;
};

struct txn_list {
	struct txn_callback *items;
	size_t count, capacity;
};

struct rtreg_txn {
	const struct rtreg_snapshot *old, *new;
	struct txn_list commit, rollback;
	bool failed; /* a callback could not be registered */
};

void txn_begin(struct rtreg_txn *txn, const struct rtreg_snapshot *old, const struct rtreg_snapshot *new);

/*
 * Runs one step; on failure rolls everything back, and `error` holds the step's error first, the rollback's
 * behind it.
 */
int txn_prepare(struct rtreg_txn *txn, const struct rtreg_step *step, struct rtreg_error *error);

/*
 * Runs the commit callbacks in order, all of them; what they report is collected in `errors`. Ends the
 * transaction.
 */
void txn_commit(struct rtreg_txn *txn, struct rtreg_error *errors);

/*
 * Runs the rollback callbacks in reverse; their errors are added behind what `error` holds. Ends the
 * transaction.
 */
void txn_rollback(struct rtreg_txn *txn, struct rtreg_error *error);

#endif
