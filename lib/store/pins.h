/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often a snapshot is pinned: a cell for each slot (store/slots.h) that only its thread writes, and one, that of
 * number 0, for everybody else, written under the store's lock. Both numbers of a cell only ever grow, and a pin
 * may be returned in another cell than it was counted in: only the sums say something. <rtreg/inline.h> has the layout and
 * what writes it.
 *
 * Whoever returns a pin has seen that it was made. So who counts what was returned first, and then what was pinned,
 * never finds more of the former.
 */
#ifndef RTREG_STORE_PINS_H
#define RTREG_STORE_PINS_H

#include "store/slots.h"

/*
 * The pins that are not returned: exactly, if nobody pins or unpins meanwhile; else perhaps more, and never fewer
 * than when the call returns.
 */
uint64_t pins_count(const struct rtreg_pins *pins);

#endif
