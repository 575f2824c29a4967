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

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SLOT_COUNT  64  /* number 0 is no slot: it stands for all threads that have none */
#define SLOT_STRIDE 128 /* two cache lines: the processor fetches them in pairs */

/*
 * Two kinds, each with a number of its own: nobody waits for both at once, and who pins and unpins in turn does not
 * wait for the one to be written before it reads it for the other.
 */
enum section {
	SECTION_PIN,
	SECTION_UNPIN,
	SECTION_KINDS,
};

/* Odd while the slot's thread is in a section of the kind. Written by that thread alone. */
struct slot {
	_Alignas(SLOT_STRIDE) _Atomic uint64_t seq[SECTION_KINDS];
};

#define SLOT_HIDDEN __attribute__((visibility("hidden")))

/*
 * The calling thread's slot, or 0. In the initial-exec model, for a call into the loader would cost more than all the
 * rest; so dlopen() of the library takes a few bytes of what the C library sets aside for that.
 */
extern SLOT_HIDDEN _Thread_local unsigned slot_index __attribute__((tls_model("initial-exec")));
extern SLOT_HIDDEN struct slot slots[SLOT_COUNT];

/* Makes slots available, if the kernel plays along. Idempotent. Context: before the first pin. */
void slots_init(void);

/* Claims a slot for the calling thread, which has none; 0: none is to be had. */
unsigned slot_claim(void);

/* A section of the slot's thread; sections do not nest. Returns what slot_leave() wants. */
static inline uint64_t slot_enter(unsigned index, enum section kind)
{
	uint64_t seq = atomic_load_explicit(&slots[index].seq[kind], memory_order_relaxed);

	atomic_store_explicit(&slots[index].seq[kind], seq + 1, memory_order_relaxed);
	/* The processor may still put off the store behind what follows: slots_settle() makes it come forward. */
	atomic_signal_fence(memory_order_seq_cst);
	return seq;
}

/* Who sees that a section is over sees all that was done in it. */
static inline void slot_leave(unsigned index, enum section kind, uint64_t seq)
{
	atomic_store_explicit(&slots[index].seq[kind], seq + 2, memory_order_release);
}

/*
 * Waits for the end of every section of the kind that this thread can know of: those whose effects it has seen. Sleeps
 * where it has to wait. Context: no lock held that is taken in such a section.
 */
void slots_wait(enum section kind);

/*
 * Returns when every thread has come to a point from which on it sees all stores that this thread made before the call,
 * all that others stored before that point is seen here, and no section to pin that began before it goes on. False: the
 * kernel no longer lets us; nothing is known then. Context: as slots_wait().
 */
bool slots_settle(void);

#endif
