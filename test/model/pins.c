/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A model of the pins (docs/concurrency.md, "Pins"): the code of <rtreg/inline.h> and lib/store as programs of the
 * machine in machine.h, made by hand, and what a few threads may do with it. A mutant is the same with one part left out; an
 * error must be found in each, or the model would prove nothing.
 *
 * usage: pins      exit 0 only if the protocol is sound in all scenarios and each mutant is wrong in one
 */
#include <stdbool.h>
#include <stdio.h>

#include "machine.h"

enum mutant {
	SOUND,
	NO_MEMBARRIER,
	NO_FIRST_WAIT,
	NO_SECOND_WAIT,
	PINS_BEFORE_UNPINS,
	CELL_BY_CELL,
	NO_SEQ,
	RETIRED_LATE,
	LEAVE_RELAXED,
	UNPIN_RELAXED,
	LOOK_AFTER_LEAVE,
	NO_LOOK,
	WAIT_LOCKED,
	MUTANTS,
};

static const char *const mutant_names[MUTANTS] = {
        [SOUND] = "the protocol",
        [NO_MEMBARRIER] = "no membarrier",
        [NO_FIRST_WAIT] = "no waiting for sections before counting",
        [NO_SECOND_WAIT] = "no waiting for sections before freeing",
        [PINS_BEFORE_UNPINS] = "pins counted before unpins",
        [CELL_BY_CELL] = "pins and unpins counted cell by cell",
        [NO_SEQ] = "no sections",
        [RETIRED_LATE] = "retired set after the membarrier",
        [LEAVE_RELAXED] = "the end of a section is no release",
        [UNPIN_RELAXED] = "an unpin is no release",
        [LOOK_AFTER_LEAVE] = "retired looked at after the section",
        [NO_LOOK] = "retired not looked at",
        [WAIT_LOCKED] = "sections waited for with the lock held",
};

static enum mutant mutant;

/* --- the programs, as the code has them --- */

static void emit_section(enum thread thread, enum op op, unsigned section)
{
	if (mutant != NO_SEQ)
		emit(thread, op, section, mutant != LEAVE_RELAXED);
}

/* rtreg_pin(); without a slot, as pin_locked() in lib/store/pins.c, if that is 0. */
static void emit_pin(enum thread thread, unsigned slot)
{
	if (slot == 0)
		emit(thread, TAKE_LOCK, 0, 0);
	else
		emit_section(thread, ENTER, PINNING(slot));
	emit(thread, LOAD_PUBLISHED, 0, 0);
	emit(thread, ADD_PIN, slot, 0);
	if (slot == 0)
		emit(thread, UNLOCK, 0, 0);
	else
		emit_section(thread, LEAVE, PINNING(slot));
}

/* store_pin() */
static void emit_pin_again(enum thread thread)
{
	emit(thread, TAKE_LOCK, 0, 0);
	emit(thread, ADD_PIN, 0, 0);
	emit(thread, UNLOCK, 0, 0);
}

static void emit_locked_unpin(enum thread thread)
{
	emit(thread, TAKE_LOCK, 0, 0);
	emit(thread, ADD_UNPIN, 0, mutant != UNPIN_RELAXED);
	if (mutant != NO_LOOK) {
		emit(thread, LOOK, 1, 0);
		emit(thread, ASK, 0, 0);
	}
	emit(thread, UNLOCK, 0, 0);
}

/* rtreg_unpin() */
static void emit_unpin(enum thread thread, unsigned slot)
{
	if (slot == 0) {
		emit_locked_unpin(thread);
		return;
	}
	emit_section(thread, ENTER, UNPINNING(slot));
	emit(thread, ADD_UNPIN, slot, mutant != UNPIN_RELAXED);
	if (mutant == LOOK_AFTER_LEAVE)
		emit_section(thread, LEAVE, UNPINNING(slot));
	if (mutant != NO_LOOK) {
		emit(thread, LOOK, 3, 0);
		emit(thread, TAKE_LOCK, 0, 0);
		emit(thread, ASK, 0, 0);
		emit(thread, UNLOCK, 0, 0);
	}
	if (mutant != LOOK_AFTER_LEAVE)
		emit_section(thread, LEAVE, UNPINNING(slot));
}

/* pins_count() */
static void emit_count(enum thread thread, unsigned generation)
{
	for (unsigned i = 0; i < CELLS; i++) {
		emit(thread, mutant == PINS_BEFORE_UNPINS ? ADD_PINS : SUBTRACT_UNPINS, generation, i);
		if (mutant == CELL_BY_CELL)
			emit(thread, ADD_PINS, generation, i);
	}
	for (unsigned i = 0; i < CELLS && mutant != CELL_BY_CELL; i++)
		emit(thread, mutant == PINS_BEFORE_UNPINS ? SUBTRACT_UNPINS : ADD_PINS, generation, i);
	emit(thread, JUDGE, generation, 0);
}

/* store_publish() and store_retire(); and rtreg_pinned(), at the moment when the numbers are least certain. */
static void emit_writer(void)
{
	for (unsigned generation = 1; generation < GENERATIONS; generation++) {
		emit(WRITER, TAKE_LOCK, 0, 0);
		emit(WRITER, PUBLISH, generation, 0);
		emit(WRITER, UNLOCK, 0, 0);
		emit(WRITER, TAKE_LOCK, 0, 0);
		if (mutant != RETIRED_LATE)
			emit(WRITER, RETIRE, generation - 1, 0);
		emit(WRITER, APPEND, generation - 1, 0);
		if (generation == 1)
			emit_count(WRITER, 0);
		emit(WRITER, UNLOCK, 0, 0);
	}
}

/* slots_wait() */
static void emit_wait_for(unsigned section)
{
	emit(RECLAIMER, SAMPLE, section, 0);
	emit(RECLAIMER, AWAIT, section, 0);
}

static void emit_wait_for_pins(void)
{
	for (unsigned slot = 1; slot <= SLOTS; slot++)
		emit_wait_for(PINNING(slot));
}

static void emit_wait_for_unpins(void)
{
	for (unsigned slot = 1; slot <= SLOTS; slot++)
		emit_wait_for(UNPINNING(slot));
}

/* pass_all() */
static void emit_pass(void)
{
	emit(RECLAIMER, UNLOCK, 0, 0);
	for (unsigned user = 0; user < USERS && mutant != NO_MEMBARRIER; user++)
		emit(RECLAIMER, MEMBARRIER, user, 0);
	if (mutant != NO_FIRST_WAIT)
		emit_wait_for_pins();
	if (mutant == RETIRED_LATE)
		emit(RECLAIMER, RETIRE_BATCH, 0, 0);
	emit(RECLAIMER, TAKE_LOCK, 0, 0);
	emit(RECLAIMER, HOLD, 0, 0);
}

/* reclaim() */
static void emit_reclaimer(void)
{
	unsigned start = emit(RECLAIMER, SLEEP, 0, 0), nothing_waits = emit(RECLAIMER, TAKE_WAITING, 0, 0);

	emit_pass();
	emit_target(RECLAIMER, nothing_waits);
	emit(RECLAIMER, BEGIN_COUNT, 0, 0);
	for (unsigned generation = 0; generation < SUPERSEDED; generation++) {
		unsigned not_asked = emit(RECLAIMER, SKIP_UNLESS_ASKED, generation, 0);

		emit_count(RECLAIMER, generation);
		emit_target(RECLAIMER, not_asked);
	}
	emit(RECLAIMER, UNHOLD, 0, 0);
	if (mutant == WAIT_LOCKED)
		emit_wait_for_unpins();
	emit(RECLAIMER, UNLOCK, 0, 0);
	emit(RECLAIMER, GO_ON_UNLESS_UNUSED, start, 0);
	if (mutant != NO_SECOND_WAIT)
		emit_wait_for_unpins();
	emit(RECLAIMER, FREE, 0, 0);
	emit(RECLAIMER, GO_ON, start, 0);
}

/* --- the scenarios --- */

static void emit_pin_and_unpin(enum thread thread, unsigned slot)
{
	emit_pin(thread, slot);
	emit(thread, USE, 0, 0);
	emit_unpin(thread, slot);
}

static void two_slots(void)
{
	emit_pin_and_unpin(USER_1, 1);
	emit_pin_and_unpin(USER_2, 2);
}

static void twice(void)
{
	emit_pin_and_unpin(USER_1, 1);
	emit_pin_and_unpin(USER_1, 1);
}

static void handed_on(void)
{
	emit_pin(USER_1, 1);
	emit(USER_1, HAND_ON, 0, 0);
	emit_pin_and_unpin(USER_1, 1);
	emit(USER_2, TAKE_OVER, 0, 0);
	emit(USER_2, USE, 0, 0);
	emit_unpin(USER_2, 2);
}

static void pinned_again(void)
{
	emit_pin(USER_1, 1);
	emit_pin_again(USER_1);
	emit(USER_1, HAND_ON, 0, 0);
	emit(USER_1, USE, 0, 0);
	emit_unpin(USER_1, 1);
	emit(USER_2, TAKE_OVER, 0, 0);
	emit(USER_2, USE, 0, 0);
	emit_unpin(USER_2, 2);
}

static void no_slot_left(void)
{
	emit_pin_and_unpin(USER_1, 1);
	emit_pin_and_unpin(USER_2, 0);
}

static void no_slot_left_to_unpin(void)
{
	emit_pin(USER_1, 1);
	emit(USER_1, HAND_ON, 0, 0);
	emit(USER_2, TAKE_OVER, 0, 0);
	emit_unpin(USER_2, 0);
	emit_pin_and_unpin(USER_2, 0);
}

/* The first user has ended, and the second goes on with its slot. */
static void slot_taken_over(void)
{
	emit_pin(USER_1, 1);
	emit(USER_1, HAND_ON, 0, 0);
	emit(USER_2, TAKE_OVER, 0, 0);
	emit_unpin(USER_2, 1);
	emit_pin_and_unpin(USER_2, 1);
}

static const struct {
	const char *name;
	void (*emit_users)(void);
} scenarios[] = {
        {"two threads with slots", two_slots},
        {"one thread, twice", twice},
        {"a pin handed on", handed_on},
        {"a pin pinned again and handed on", pinned_again},
        {"a thread with a slot and one without", no_slot_left},
        {"a pin handed on to one without a slot", no_slot_left_to_unpin},
        {"a slot taken over", slot_taken_over},
};

#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* What is wrong with a mutant in a scenario; NULL: nothing. */
static const char *judge(enum mutant which, size_t scenario, size_t *ret_states)
{
	mutant = which;
	machine_init();
	scenarios[scenario].emit_users();
	emit_writer();
	emit_reclaimer();
	return machine_explore(ret_states);
}

static bool judge_protocol(void)
{
	bool sound = true;

	for (size_t i = 0; i < SCENARIOS; i++) {
		size_t states;
		const char *why = judge(SOUND, i, &states);

		printf("%-40s %9zu states: %s\n", scenarios[i].name, states, why ? why : "sound");
		sound = sound && !why;
	}
	return sound;
}

static bool judge_mutants(void)
{
	bool all = true;

	for (enum mutant which = SOUND + 1; which < MUTANTS; which++) {
		const char *why = NULL;
		size_t i = 0, states;

		while (i < SCENARIOS && !(why = judge(which, i, &states)))
			i++;
		printf("%-40s %s%s%s\n", mutant_names[which], why ? why : "NOT FOUND", why ? ": " : "",
		       why ? scenarios[i].name : "");
		all = all && why;
	}
	return all;
}

int main(void)
{
	bool sound = judge_protocol(), all = judge_mutants();

	return sound && all ? 0 : 1;
}
