/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine that the model of the pins runs on: a few threads, each with a program; a memory that is weaker than any
 * processor's; and a search through all states that they can reach for one that is wrong. What is wrong: a snapshot that
 * is used, counted in or looked at after it was freed; a count below zero; a superseded snapshot that is left over when
 * all is done; threads that wait for each other.
 *
 * What a thread stores waits in a buffer of its own, where it alone sees it, and reaches the others at any time, in any
 * order but that of stores to one address; a release waits for all that were stored before it. Loads are made in
 * order. A membarrier empties the buffers, one thread's after the other. Taking a lock does not.
 */
#ifndef RTREG_TEST_MACHINE_H
#define RTREG_TEST_MACHINE_H

#include <stddef.h>
#include <stdint.h>

enum thread { USER_1, USER_2, WRITER, RECLAIMER, THREADS };

#define USERS       2
#define SLOTS       2
#define CELLS       (1 + SLOTS) /* number 0 for those without a slot */
#define GENERATIONS 3           /* the last one stays */
#define SUPERSEDED  (GENERATIONS - 1)

/* The number of a slot's section: of those to pin, and of those to unpin. */
#define PINNING(slot)   (slot)
#define UNPINNING(slot) (CELLS + (slot))
#define SECTIONS        (2 * CELLS)

/* One for each access that others may notice. */
enum op {
	END,
	/* Users; the argument of the first two is a section, that of others a cell. */
	ENTER,
	LEAVE, /* the second argument of this and of the unpin: whether it is a release */
	LOAD_PUBLISHED,
	ADD_PIN,
	ADD_UNPIN,
	USE,
	LOOK, /* at retired; skips as many as it says if it is not */
	ASK,  /* for a recount */
	HAND_ON,
	TAKE_OVER,
	/* Everybody */
	TAKE_LOCK,
	UNLOCK,
	/* The writer; the argument is a generation. */
	PUBLISH,
	RETIRE,
	APPEND,
	/* The reclaimer; the argument is a thread, section, cell or generation, or where to go on. */
	SLEEP,
	TAKE_WAITING, /* goes on elsewhere if nothing waits */
	MEMBARRIER,
	SAMPLE, /* skips the next if nobody is in the section */
	AWAIT,
	RETIRE_BATCH,
	HOLD,
	BEGIN_COUNT,
	SKIP_UNLESS_ASKED,
	SUBTRACT_UNPINS,
	ADD_PINS,
	JUDGE,
	UNHOLD,
	GO_ON_UNLESS_UNUSED,
	FREE,
	GO_ON,
};

/* Empties all programs. */
void machine_init(void);
/* Adds an instruction to a thread's program; returns where it is. */
unsigned emit(enum thread thread, enum op op, unsigned argument, unsigned second);
/* A jump that was added before goes to where the next instruction will be. */
void emit_target(enum thread thread, unsigned jump);

/* Runs the programs in all ways; returns the first thing that is wrong, or NULL, and how many states there are. */
const char *machine_explore(size_t *ret_states);

#endif
