/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seen.h"

#define BUFFER  8 /* stores that can wait; whose buffer is full waits too */
#define PROGRAM 80
#define DEPTH   1000

/* What is in memory, a byte each. */
enum location {
	LOCK,
	PUBLISHED,
	WAITING, /* sets of generations; these three under the lock, as the lists are */
	HELD,
	RECOUNT,
	HANDED, /* from one user to the other: a generation + 1 */
	SEQ,
	RETIRED = SEQ + SECTIONS,
	PINS = RETIRED + GENERATIONS,
	UNPINS = PINS + GENERATIONS * CELLS,
	LOCATIONS = UNPINS + GENERATIONS * CELLS,
};

struct instruction {
	uint8_t op, argument, second;
};

struct program {
	struct instruction code[PROGRAM];
	uint8_t length;
};

struct store_buffer {
	uint8_t count;
	struct {
		uint8_t location, value, release;
	} stores[BUFFER];
};

/* No padding: it is hashed as bytes. */
struct state {
	uint8_t memory[LOCATIONS];
	struct store_buffer buffers[THREADS];
	uint8_t pc[THREADS];
	uint8_t generation[USERS];     /* of the snapshot at hand */
	uint8_t batch, unused, sample; /* the reclaimer's */
	uint8_t freed;
	int8_t sum[THREADS]; /* of who counts */
};

static struct program programs[THREADS];
static const char *wrong; /* the first thing that is */

static void give_up(const char *why)
{
	fprintf(stderr, "%s\n", why);
	exit(2);
}

/* --- programs --- */

void machine_init(void)
{
	memset(programs, 0, sizeof(programs));
}

unsigned emit(enum thread thread, enum op op, unsigned argument, unsigned second)
{
	struct program *program = &programs[thread];

	if (program->length == PROGRAM - 1)
		give_up("PROGRAM is too small");
	program->code[program->length] =
	        (struct instruction){(uint8_t)op, (uint8_t)argument, (uint8_t)second};
	return program->length++;
}

void emit_target(enum thread thread, unsigned jump)
{
	struct instruction *i = &programs[thread].code[jump];

	*(i->op == SKIP_UNLESS_ASKED ? &i->second : &i->argument) = programs[thread].length;
}

/* --- memory --- */

static uint8_t load(const struct state *s, unsigned thread, unsigned location)
{
	const struct store_buffer *buffer = &s->buffers[thread];

	for (unsigned i = buffer->count; i-- > 0;)
		if (buffer->stores[i].location == location)
			return buffer->stores[i].value;
	return s->memory[location];
}

static void store(struct state *s, unsigned thread, unsigned location, unsigned value, bool release)
{
	struct store_buffer *buffer = &s->buffers[thread];

	buffer->stores[buffer->count].location = (uint8_t)location;
	buffer->stores[buffer->count].value = (uint8_t)value;
	buffer->stores[buffer->count++].release = release;
}

/* What the lock guards is seen by its next holder, and by nobody before. */
static void store_guarded(struct state *s, unsigned location, unsigned value)
{
	s->memory[location] = (uint8_t)value;
}

static void alive(const struct state *s, unsigned generation, const char *otherwise)
{
	if (s->freed >> generation & 1)
		wrong = otherwise;
}

/* Whether the i-th store of a buffer may reach memory now. */
static bool may_drain(const struct store_buffer *buffer, unsigned i)
{
	if (buffer->stores[i].release)
		return i == 0;
	for (unsigned j = 0; j < i; j++)
		if (buffer->stores[j].location == buffer->stores[i].location)
			return false;
	return true;
}

static void drain(struct state *s, unsigned thread, unsigned i)
{
	struct store_buffer *buffer = &s->buffers[thread];
	unsigned location = buffer->stores[i].location;

	if (location >= PINS)
		alive(s, (location - PINS) / CELLS % GENERATIONS, "counted in a freed snapshot");
	s->memory[location] = buffer->stores[i].value;
	buffer->count--;
	memmove(&buffer->stores[i], &buffer->stores[i + 1], (buffer->count - i) * sizeof(buffer->stores[0]));
	memset(&buffer->stores[buffer->count], 0, sizeof(buffer->stores[0]));
}

/* --- the threads --- */

static unsigned cell(unsigned counts, unsigned generation, unsigned index)
{
	return counts + generation * CELLS + index;
}

static void step_user(struct state *s, unsigned thread, struct instruction i)
{
	uint8_t *generation = &s->generation[thread];
	unsigned location;

	switch (i.op) {
	case ENTER:
		store(s, thread, SEQ + i.argument, load(s, thread, SEQ + i.argument) + 1u, false);
		break;
	case LEAVE:
		store(s, thread, SEQ + i.argument, load(s, thread, SEQ + i.argument) + 1u, i.second);
		break;
	case LOAD_PUBLISHED:
		*generation = load(s, thread, PUBLISHED);
		break;
	case ADD_PIN:
		alive(s, *generation, "pinned a freed snapshot");
		location = cell(PINS, *generation, i.argument);
		store(s, thread, location, load(s, thread, location) + 1u, false);
		break;
	case ADD_UNPIN:
		alive(s, *generation, "unpinned a freed snapshot");
		location = cell(UNPINS, *generation, i.argument);
		store(s, thread, location, load(s, thread, location) + 1u, i.second);
		break;
	case USE:
		alive(s, *generation, "used a freed snapshot");
		break;
	case LOOK:
		alive(s, *generation, "looked at a freed snapshot");
		if (load(s, thread, RETIRED + *generation) == 0)
			s->pc[thread] += i.argument;
		break;
	case ASK:
		/* It was retired, so the lists know it. */
		store_guarded(s, RECOUNT, s->memory[RECOUNT] | 1u << *generation);
		break;
	case HAND_ON:
		store(s, thread, HANDED, *generation + 1u, true);
		break;
	case TAKE_OVER:
		*generation = (uint8_t)(load(s, thread, HANDED) - 1u);
		break;
	}
}

static void step_writer(struct state *s, struct instruction i)
{
	switch (i.op) {
	case PUBLISH:
		store(s, WRITER, PUBLISHED, i.argument, true);
		break;
	case RETIRE:
		store(s, WRITER, RETIRED + i.argument, 1, false);
		break;
	case APPEND:
		store_guarded(s, WAITING, s->memory[WAITING] | 1u << i.argument);
		break;
	}
}

static void step_passing(struct state *s, struct instruction i)
{
	switch (i.op) {
	case TAKE_WAITING:
		s->batch = s->memory[WAITING];
		if (s->batch == 0)
			s->pc[RECLAIMER] = i.argument;
		else
			store_guarded(s, WAITING, 0);
		break;
	case MEMBARRIER:
		while (s->buffers[i.argument].count > 0)
			drain(s, i.argument, 0);
		break;
	case SAMPLE:
		s->sample = load(s, RECLAIMER, SEQ + i.argument);
		if (s->sample % 2 == 0)
			s->pc[RECLAIMER]++;
		break;
	case AWAIT:
		s->sample = 0;
		break;
	case RETIRE_BATCH:
		for (unsigned generation = 0; generation < SUPERSEDED; generation++)
			if (s->batch >> generation & 1)
				store(s, RECLAIMER, RETIRED + generation, 1, false);
		break;
	case HOLD:
		store_guarded(s, HELD, s->memory[HELD] | s->batch);
		store_guarded(s, RECOUNT, s->memory[RECOUNT] | s->batch);
		break;
	}
}

static void step_counting(struct state *s, unsigned thread, struct instruction i)
{
	switch (i.op) {
	case BEGIN_COUNT:
		s->batch = s->memory[RECOUNT] & s->memory[HELD];
		store_guarded(s, RECOUNT, 0);
		break;
	case SKIP_UNLESS_ASKED:
		if (!(s->batch >> i.argument & 1))
			s->pc[RECLAIMER] = i.second;
		break;
	case SUBTRACT_UNPINS:
		s->sum[thread] =
		        (int8_t)(s->sum[thread] - load(s, thread, cell(UNPINS, i.argument, i.second)));
		break;
	case ADD_PINS:
		s->sum[thread] = (int8_t)(s->sum[thread] + load(s, thread, cell(PINS, i.argument, i.second)));
		break;
	case JUDGE:
		if (s->sum[thread] < 0)
			wrong = "counted less than no pins";
		else if (s->sum[thread] == 0 && thread == RECLAIMER)
			s->unused |= (uint8_t)(1u << i.argument);
		s->sum[thread] = 0;
		break;
	case UNHOLD:
		store_guarded(s, HELD, s->memory[HELD] & ~(unsigned)s->unused);
		s->batch = 0;
		break;
	case GO_ON_UNLESS_UNUSED:
		if (s->unused == 0)
			s->pc[RECLAIMER] = i.argument;
		break;
	case FREE:
		s->freed |= s->unused;
		s->unused = 0;
		break;
	case GO_ON:
		s->pc[RECLAIMER] = i.argument;
		break;
	}
}

static bool can_step(const struct state *s, unsigned thread)
{
	struct instruction i = programs[thread].code[s->pc[thread]];

	if (s->buffers[thread].count == BUFFER)
		return false;
	switch (i.op) {
	case END:
		return false;
	case TAKE_LOCK:
		return s->memory[LOCK] == 0;
	case SLEEP: /* woken under the lock, with what it is woken for */
		return s->memory[LOCK] == 0 && (s->memory[WAITING] || s->memory[RECOUNT]);
	case AWAIT:
		return s->memory[SEQ + i.argument] != s->sample;
	case TAKE_OVER:
		return s->memory[HANDED] != 0;
	default:
		return true;
	}
}

static void step(struct state *s, unsigned thread)
{
	struct instruction i = programs[thread].code[s->pc[thread]++];

	if (i.op == TAKE_LOCK || i.op == SLEEP)
		s->memory[LOCK] = 1;
	else if (i.op == UNLOCK)
		store(s, thread, LOCK, 0, true);
	else if (i.op < TAKE_LOCK)
		step_user(s, thread, i);
	else if (i.op < SLEEP)
		step_writer(s, i);
	else if (i.op < BEGIN_COUNT)
		step_passing(s, i);
	else
		step_counting(s, thread, i);
}

/* --- exploring --- */

/* What does nothing that another thread can notice or disturb; a store is noticed when it drains. */
static bool is_private(enum op op)
{
	switch (op) {
	case ENTER:
	case LEAVE:
	case ADD_PIN:
	case ADD_UNPIN:
	case ASK:
	case HAND_ON:
	case UNLOCK:
	case PUBLISH:
	case RETIRE:
	case APPEND:
	case TAKE_WAITING:
	case RETIRE_BATCH:
	case HOLD:
	case BEGIN_COUNT:
	case SKIP_UNLESS_ASKED:
	case JUDGE:
	case UNHOLD:
	case GO_ON_UNLESS_UNUSED:
	case GO_ON:
		return true;
	default:
		return false;
	}
}

static bool next_is_private(const struct state *s, unsigned thread)
{
	return is_private(programs[thread].code[s->pc[thread]].op) && s->buffers[thread].count < BUFFER;
}

/*
 * One step, and private ones behind it: the states between are not worth telling apart. Those of a user only if the
 * first is private too, for a membarrier may come before all of them. One that comes between two does what one before
 * both would do, with the first drained at once.
 */
static void go_on(struct state *s, unsigned thread)
{
	bool more = thread >= USERS || next_is_private(s, thread);

	do
		step(s, thread);
	while (more && next_is_private(s, thread) && !wrong);
}

/* Nothing can happen any more. */
static void judge_end(const struct state *s)
{
	for (unsigned thread = 0; thread < RECLAIMER; thread++)
		if (programs[thread].code[s->pc[thread]].op != END)
			wrong = "threads wait for each other";
	if (programs[RECLAIMER].code[s->pc[RECLAIMER]].op != SLEEP)
		wrong = "the reclaimer waits for ever";
	else if (!wrong && s->freed != (1u << SUPERSEDED) - 1)
		wrong = "a snapshot is left over";
}

static void explore(const struct state *from, unsigned depth);

static void go(struct state *next, unsigned depth)
{
	if (!wrong && seen_add(next, sizeof(*next)))
		explore(next, depth + 1);
}

static void explore(const struct state *from, unsigned depth)
{
	bool moved = false;

	if (depth == DEPTH)
		give_up("DEPTH is too small");
	for (unsigned thread = 0; thread < THREADS && !wrong; thread++) {
		for (unsigned i = 0; i < from->buffers[thread].count && !wrong; i++) {
			struct state next = *from;

			if (!may_drain(&from->buffers[thread], i))
				continue;
			drain(&next, thread, i);
			go(&next, depth);
			moved = true;
		}
		if (!wrong && can_step(from, thread)) {
			struct state next = *from;

			go_on(&next, thread);
			go(&next, depth);
			moved = true;
		}
	}
	if (!moved && !wrong)
		judge_end(from);
}

const char *machine_explore(size_t *ret_states)
{
	struct state start;

	memset(&start, 0, sizeof(start));
	wrong = NULL;
	seen_start();
	go(&start, 0);
	*ret_states = seen_end();
	return wrong;
}
