/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Borrowing and resolving in one call, for those who cannot inline it. Readers. */
#include "store/store.h"

/* What rtreg_borrow() does; that one is declared for programs that have chosen a flavour. */
static inline const struct rtreg_snapshot *borrow(struct rtreg *registry)
{
	const struct rtreg_head *head = (const struct rtreg_head *)(const void *)registry;

	return __atomic_load_n(&head->published, __ATOMIC_CONSUME);
}

int rtreg_resolve_live(struct rtreg *registry, const char *name, struct rtreg_runtime *ret,
                       struct rtreg_error *error)
{
	return rtreg_resolve(borrow(registry), name, ret, error);
}

int rtreg_resolve_live_len(struct rtreg *registry, const char *name, size_t length, struct rtreg_runtime *ret,
                           struct rtreg_error *error)
{
	return rtreg_resolve_len(borrow(registry), name, length, ret, error);
}
