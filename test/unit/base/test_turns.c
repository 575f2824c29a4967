/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/turns.h"

#include <check.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "unit.h"

#define THREADS 8
#define ROUNDS  2000
#define NAMES   3

static struct turns turns;

static void setup(void)
{
	turns_init(&turns);
}

static void teardown(void)
{
	turns_fini(&turns);
}

/* --- one at a time --- */

static int inside[NAMES];
static bool crowded;

static void *take_turns(void *context)
{
	(void)context;
	for (int i = 0; i < ROUNDS; i++) {
		/* Of the same text, not the same memory. */
		char name[8];
		struct turn turn;
		int *mine = &inside[i % NAMES];

		snprintf(name, sizeof(name), "n%d", i % NAMES);
		turn_begin(&turns, &turn, name);
		if (__atomic_fetch_add(mine, 1, __ATOMIC_RELAXED) != 0)
			__atomic_store_n(&crowded, true, __ATOMIC_RELAXED);
		sched_yield();
		__atomic_fetch_sub(mine, 1, __ATOMIC_RELAXED);
		turn_end(&turns, &turn);
	}
	return NULL;
}

START_TEST(turns_of_one_name_are_taken_one_at_a_time)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert(!crowded);
	ck_assert_ptr_null(turns.taken);
}
END_TEST

/* --- side by side --- */

START_TEST(turns_of_other_names_do_not_wait)
{
	struct turn a, b, again;

	turn_begin(&turns, &a, "a");
	turn_begin(&turns, &b, "b");
	turn_end(&turns, &a);
	turn_begin(&turns, &again, "a");
	turn_end(&turns, &b);
	turn_end(&turns, &again);
	ck_assert_ptr_null(turns.taken);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turns");
	TCase *tcase = tcase_create("turns");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, turns_of_one_name_are_taken_one_at_a_time);
	tcase_add_test(tcase, turns_of_other_names_do_not_wait);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
