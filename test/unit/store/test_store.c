/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store: publishing, reclaiming, and room for it. How pins are counted is in test_pins.c. */
#include "unit.h"

#include "played_store.h"

/* --- publishing --- */

START_TEST(store_publish_returns_the_one_before)
{
	ck_assert_uint_eq(store_live(&store)->head.generation, 1);
	publish(2);
	ck_assert_uint_eq(store_live(&store)->head.generation, 2);
	wait_for(0, 1, 0);
}
END_TEST

START_TEST(store_forget_leaves_the_live_one)
{
	struct arena *arena = arena_new();
	struct rtreg_snapshot *snapshot = arena_alloc(arena, sizeof(*snapshot));

	snapshot->arena = arena;
	ck_assert_int_eq(store_prepare(&store, snapshot), 0);
	store_forget(snapshot);
	ck_assert_ptr_null(snapshot->head.pins);
	snapshot_free(snapshot);
	ck_assert_uint_eq(store_live(&store)->head.generation, 1);
}
END_TEST

/* --- reclaiming --- */

START_TEST(retired_is_kept_until_its_grace_period_is_over)
{
	const struct rtreg_snapshot *first = store_live(&store);

	publish(2);
	wait_until_begun(1);
	wait_for(0, 1, 0);
	ck_assert_uint_eq(first->head.generation, 1); /* a reader may be looking at it */
	allow(1);
	wait_for(0, 0, 0);
}
END_TEST

/* One that is retired during a grace period was perhaps borrowed after its beginning. */
START_TEST(retired_during_a_grace_period_waits_for_the_next)
{
	publish(2);
	wait_until_begun(1);
	publish(3);
	publish(4);
	wait_for(2, 1, 0);
	allow(1);
	wait_until_begun(2);
	wait_for(0, 2, 0);
	allow(1);
	wait_for(0, 0, 0);
	ck_assert_uint_eq(begun, 2);
}
END_TEST

/* --- pins --- */

START_TEST(pinned_is_freed_after_the_last_unpin_only)
{
	const struct rtreg_snapshot *first = rtreg_pin(registry), *again = rtreg_pin(registry);

	ck_assert_ptr_eq(first, again);
	publish(2);
	allow(1);
	wait_for(0, 0, 1);
	rtreg_unpin(again);
	publish(3); /* something else to do, so that the reclaimer looks at all of them */
	allow(1);
	wait_until_begun(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(first->head.generation, 1);
	rtreg_unpin(first);
	wait_for(0, 0, 0);
}
END_TEST

START_TEST(unpinned_during_the_grace_period_is_freed_after_it)
{
	const struct rtreg_snapshot *first = rtreg_pin(registry);

	publish(2);
	wait_until_begun(1);
	rtreg_unpin(first);
	wait_for(0, 1, 0);
	ck_assert_uint_eq(first->head.generation, 1);
	allow(1);
	wait_for(0, 0, 0);
}
END_TEST

START_TEST(unpin_of_the_live_one_frees_nothing)
{
	const struct rtreg_snapshot *live = rtreg_pin(registry);

	rtreg_unpin(live);
	rtreg_unpin(NULL);
	wait_for(0, 0, 0);
	ck_assert_uint_eq(begun, 0);
	ck_assert_uint_eq(store_live(&store)->head.generation, 1);
}
END_TEST

START_TEST(pinned_are_told_oldest_first_in_all_their_stages)
{
	const struct rtreg_snapshot *pins[4];
	struct rtreg_pinned pinned[4];

	for (uint64_t i = 0; i < 4; i++) {
		pins[i] = rtreg_pin(registry);
		if (i == 3)
			break; /* the live one is not superseded */
		publish(i + 2);
		if (i == 0) {
			allow(1);
			wait_for(0, 0, 1);
		} else if (i == 1) {
			wait_until_begun(2);
		}
	}
	rtreg_unpin(rtreg_pin(registry));
	wait_for(1, 1, 1);
	ck_assert_uint_eq(rtreg_pinned(registry, pinned, 4), 3);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(pinned[i].generation, i + 1);
		ck_assert_uint_eq(pinned[i].count, 1);
	}
	ck_assert_uint_eq(rtreg_pinned(registry, pinned, 1), 3);
	ck_assert_uint_eq(rtreg_pinned(registry, NULL, 0), 3);
	for (int i = 0; i < 4; i++)
		rtreg_unpin(pins[i]);
}
END_TEST

/* The first and the last of three go; the one between stays. */
START_TEST(pinned_in_the_middle_is_kept_alone)
{
	const struct rtreg_snapshot *second;
	struct rtreg_pinned pinned[1];

	publish(2);
	second = rtreg_pin(registry);
	publish(3);
	publish(4);
	allow_all();
	wait_for(0, 0, 1);
	ck_assert_uint_eq(rtreg_pinned(registry, pinned, 1), 1);
	ck_assert_uint_eq(pinned[0].generation, 2);
	rtreg_unpin(second);
	wait_for(0, 0, 0);
}
END_TEST

/* --- room --- */

START_TEST(wait_room_counts_all_that_wait_for_a_grace_period)
{
	uint64_t generation = 1;

	while (generation <= STORE_MAX_WAITING) {
		publish(++generation);
		ck_assert_int_eq(store_wait_room(&store, 0), 0);
	}
	publish(++generation);
	ck_assert_int_eq(store_wait_room(&store, 0), -EBUSY);
	ck_assert_int_eq(store_wait_room(&store, 1500), -EBUSY);
	allow(1); /* that of the first alone, or of some */
	ck_assert_int_eq(store_wait_room(&store, 10000), 0);
}
END_TEST

START_TEST(wait_room_does_not_count_what_is_held)
{
	const struct rtreg_snapshot *pins[2 * STORE_MAX_WAITING];
	size_t n = sizeof(pins) / sizeof(pins[0]);

	allow_all();
	for (size_t i = 0; i < n; i++) {
		pins[i] = rtreg_pin(registry);
		publish(i + 2);
	}
	wait_for(0, 0, n);
	ck_assert_int_eq(store_wait_room(&store, 0), 0);
	ck_assert_uint_eq(rtreg_pinned(registry, NULL, 0), n);
	for (size_t i = 0; i < n; i++)
		rtreg_unpin(pins[i]);
	wait_for(0, 0, 0);
}
END_TEST

/* --- statistics --- */

static struct rtreg_statistics told(void)
{
	struct rtreg_statistics ret = {0};

	store_statistics(&store, &ret);
	return ret;
}

START_TEST(statistics_tell_what_waits_and_what_is_pinned)
{
	const struct rtreg_snapshot *pins[3] = {rtreg_pin(registry), rtreg_pin(registry)};

	publish(2);
	wait_for(0, 1, 0);
	pins[2] = rtreg_pin(registry); /* the live one's are not counted */
	ck_assert_uint_eq(told().waiting, 1);
	ck_assert_uint_eq(told().pinned, 1);
	ck_assert_uint_eq(told().pins, 2);
	allow(1);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(told().waiting, 0);
	ck_assert_uint_eq(told().pins, 2);
	for (int i = 0; i < 3; i++)
		rtreg_unpin(pins[i]);
	wait_for(0, 0, 0);
	ck_assert_uint_eq(told().pinned, 0);
}
END_TEST

START_TEST(statistics_count_grace_periods_and_what_is_freed)
{
	struct rtreg_histogram grace_periods;

	publish(2);
	wait_until_begun(1);
	histogram_read(&statistics.grace_periods, &grace_periods);
	ck_assert_uint_eq(grace_periods.count, 0);
	allow(1);
	publish(3);
	wait_until_begun(2);
	allow(1);
	wait_for(0, 0, 0);
	histogram_read(&statistics.grace_periods, &grace_periods);
	ck_assert_uint_eq(grace_periods.count, 2);
	ck_assert_uint_gt(grace_periods.sum_ns, 0);
	/* What is freed has left the lists before: closing waits for it. */
	allow_all();
	store_fini(&store);
	ck_assert_uint_eq(statistics_counted(&statistics, COUNT_FREED), 3);
	ck_assert_int_eq(store_init(&store, &flavor, &statistics), 0);
}
END_TEST

START_TEST(statistics_count_waits_for_room_and_not_asking_for_it)
{
	for (uint64_t generation = 2; generation <= STORE_MAX_WAITING + 1; generation++)
		publish(generation);
	ck_assert_int_eq(store_wait_room(&store, 0), 0);
	ck_assert_uint_eq(statistics_counted(&statistics, COUNT_ROOM_WAITS), 0);
	publish(STORE_MAX_WAITING + 2);
	ck_assert_int_eq(store_wait_room(&store, 0), -EBUSY);
	ck_assert_uint_eq(statistics_counted(&statistics, COUNT_ROOM_WAITS), 1);
}
END_TEST

/* --- closing --- */

static void *unpin_on_thread(void *snapshot)
{
	rtreg_unpin(snapshot);
	return NULL;
}

START_TEST(fini_frees_what_was_unpinned_at_the_last_moment)
{
	const struct rtreg_snapshot *pins[3];
	pthread_t threads[3];

	for (uint64_t i = 0; i < 3; i++) {
		pins[i] = rtreg_pin(registry);
		publish(i + 2);
	}
	allow(1); /* some are held, some wait */
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, unpin_on_thread, (void *)pins[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	/* teardown closes at once */
}
END_TEST

/* The last pin is returned while the closing thread is waiting for it. */
START_TEST(fini_waits_for_the_last_pin)
{
	const struct rtreg_snapshot *pin = rtreg_pin(registry);
	pthread_t thread;

	publish(2);
	allow_all();
	wait_for(0, 0, 1);
	pthread_create(&thread, NULL, unpin_on_thread, (void *)pin);
	store_fini(&store);
	pthread_join(thread, NULL);
	setup();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, store_publish_returns_the_one_before);
	tcase_add_test(tcase, store_forget_leaves_the_live_one);
	tcase_add_test(tcase, retired_is_kept_until_its_grace_period_is_over);
	tcase_add_test(tcase, retired_during_a_grace_period_waits_for_the_next);
	tcase_add_test(tcase, pinned_is_freed_after_the_last_unpin_only);
	tcase_add_test(tcase, unpinned_during_the_grace_period_is_freed_after_it);
	tcase_add_test(tcase, unpin_of_the_live_one_frees_nothing);
	tcase_add_test(tcase, pinned_are_told_oldest_first_in_all_their_stages);
	tcase_add_test(tcase, pinned_in_the_middle_is_kept_alone);
	tcase_add_test(tcase, wait_room_counts_all_that_wait_for_a_grace_period);
	tcase_add_test(tcase, wait_room_does_not_count_what_is_held);
	tcase_add_test(tcase, statistics_tell_what_waits_and_what_is_pinned);
	tcase_add_test(tcase, statistics_count_grace_periods_and_what_is_freed);
	tcase_add_test(tcase, statistics_count_waits_for_room_and_not_asking_for_it);
	tcase_add_test(tcase, fini_frees_what_was_unpinned_at_the_last_moment);
	tcase_add_test(tcase, fini_waits_for_the_last_pin);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
