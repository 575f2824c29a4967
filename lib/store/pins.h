/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often a snapshot is pinned: a cell for each slot (store/slots.h) that only its thread writes, and one, that of
 * number 0, for everybody else, written under the store's lock. Both numbers of a cell only ever grow, and a pin
 * may be returned in another cell than it was counted in: only the sums say something.
 *
 * Whoever returns a pin has seen that it was made. So who counts what was returned first, and then what was pinned,
 * never finds more of the former.
 */
#ifndef RTREG_STORE_PINS_H
#define RTREG_STORE_PINS_H

#include "store/slots.h"

struct pin_cell {
	_Alignas(SLOT_STRIDE) _Atomic uint64_t pins;
	_Atomic uint64_t unpins;
};

struct pins {
	struct pin_cell cells[SLOT_COUNT];
};

/*
 * For the one that writes the cell. A pin is released with the end of the section that it is counted in; an unpin
 * at once, for the reclaimer may act on it: what its thread has done before, entering the section included, is seen
 * by who sees it counted.
 */
static inline void pins_add(struct pins *pins, unsigned slot)
{
	_Atomic uint64_t *count = &pins->cells[slot].pins;

	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
}

static inline void pins_return(struct pins *pins, unsigned slot)
{
	_Atomic uint64_t *count = &pins->cells[slot].unpins;

	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
	                      memory_order_release);
}

/*
 * The pins that are not returned: exactly, if nobody pins or unpins meanwhile; else perhaps more, and never fewer
 * than when the call returns.
 */
uint64_t pins_count(const struct pins *pins);

#endif
