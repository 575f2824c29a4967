/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/txn.h"

#include <errno.h>
#include <string.h>

#include "base/problems.h"

void txn_begin(struct rtreg_txn *txn, const struct rtreg_snapshot *old, const struct rtreg_snapshot *new)
{
	*txn = (struct rtreg_txn){.old = old, .new = new};
}

static void txn_end(struct rtreg_txn *txn)
{
	free(txn->commit.items);
	free(txn->rollback.items);
	*txn = (struct rtreg_txn){0};
}

static bool list_add(struct txn_list *list, rtreg_callback fn, void *context)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 8;
	struct txn_callback *items = list->items;

	if (list->count == list->capacity) {
		items = reallocarray(items, capacity, sizeof(*items));
		if (!items)
			return false;
		list->items = items;
		list->capacity = capacity;
	}
	items[list->count++] = (struct txn_callback){.fn = fn, .context = context};
	return true;
}

void rtreg_txn_on_commit(struct rtreg_txn *txn, rtreg_callback fn, void *context)
{
	if (!list_add(&txn->commit, fn, context))
		txn->failed = true;
}

void rtreg_txn_on_rollback(struct rtreg_txn *txn, rtreg_callback fn, void *context)
{
	if (list_add(&txn->rollback, fn, context))
		return;
	/* What cannot be remembered is taken back at once: the reload is going to fail. */
	txn->failed = true;
	fn(context, NULL);
}

const struct rtreg_snapshot *rtreg_txn_old(const struct rtreg_txn *txn)
{
	return txn->old;
}

const struct rtreg_snapshot *rtreg_txn_new(const struct rtreg_txn *txn)
{
	return txn->new;
}

/* Calls one callback; a failure is added behind what `errors` holds. */
static void call(const struct txn_callback *callback, const char *when, struct rtreg_error *errors)
{
	_cleanup_error_ struct rtreg_error error = {0};
	int r = callback->fn(callback->context, &error);

	if (r >= 0)
		return;
	if (error.message[0] != '\0')
		error_add(errors, r, error.where[0] ? error.where : when, "%s: %s", when, error.message);
	else
		error_add(errors, r, when, "%s: %s", when, strerror(-r));
}

void txn_commit(struct rtreg_txn *txn, struct rtreg_error *errors)
{
	for (size_t i = 0; i < txn->commit.count; i++)
		call(&txn->commit.items[i], "after the reload", errors);
	txn_end(txn);
}

void txn_rollback(struct rtreg_txn *txn, struct rtreg_error *error)
{
	for (size_t i = txn->rollback.count; i > 0; i--)
		call(&txn->rollback.items[i - 1], "while rolling back", error);
	txn_end(txn);
}

int txn_prepare(struct rtreg_txn *txn, const struct rtreg_step *step, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};
	int r = step->prepare(txn, step->context, &own);

	if (r >= 0 && !txn->failed)
		return 0;
	if (r >= 0)
		r = error_no_memory(&own);
	if (own.message[0] == '\0')
		error_set(&own, r, step->name, "step %s failed: %s", step->name, strerror(-r));
	else if (own.where[0] == '\0')
		strncpy(own.where, step->name, sizeof(own.where) - 1);
	own.code = r;
	txn_rollback(txn, &own);
	if (error) {
		rtreg_error_fini(error);
		*error = own;
		own = (struct rtreg_error){0};
	}
	return r;
}
