/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The slots of the process's threads: what lets a thread count its pins in cells that it alone writes, and lets
 * the reclaimer know that a thread has left the few instructions in which it does so (docs/concurrency.md).
 *
 * A thread claims a slot when it first pins or unpins and gives it back when it ends; another takes it over with
 * all that was counted. They are the process's: all registries use the same. There are none where the kernel
 * has no membarrier(2) to offer, and none left where too many threads pin; those count under their store's lock.
 *
 * Not for signal handlers: one that interrupts its thread within a section would end that section.
 */
#ifndef RTREG_STORE_SLOTS_H
#define RTREG_STORE_SLOTS_H

#include <stdbool.h>

#include "rtreg/rtreg.h"

extern struct rtreg_pin_slot slots[RTREG_PIN_SLOTS];

/* Makes slots available, if the kernel plays along. Idempotent. Context: before the first pin. */
void slots_init(void);

/* Claims a slot for the calling thread, which has none; false: none is to be had. */
bool slot_claim(void);

/*
 * Waits for the end of every section of the kind that this thread can know of: those whose effects it has seen. Sleeps
 * where it has to wait. Context: no lock held that is taken in such a section.
 */
void slots_wait(enum rtreg_section kind);

/*
 * Returns when every thread has come to a point from which on it sees all stores that this thread made before the call,
 * all that others stored before that point is seen here, and no section to pin that began before it goes on. False: the
 * kernel no longer lets us; nothing is known then. Context: as slots_wait().
 */
bool slots_settle(void);

#endif
