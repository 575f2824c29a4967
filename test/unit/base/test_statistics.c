/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/statistics.h"

#include <pthread.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

#define THREADS 4
#define TIMES   10000

static struct statistics statistics;

static void setup(void)
{
	memset(&statistics, 0, sizeof(statistics));
}

static void teardown(void)
{
	statistics_fini(&statistics);
}

static const struct {
	int64_t took_ns;
	size_t bucket;
} durations[] = {
        {-1, 0},
        {0, 0},
        {100000, 0},
        {100001, 1},
        {500000, 1},
        {INT64_C(10000000000), RTREG_HISTOGRAM_BUCKETS - 2},
        {INT64_C(10000000001), RTREG_HISTOGRAM_BUCKETS - 1},
        {INT64_MAX, RTREG_HISTOGRAM_BUCKETS - 1},
};

START_TEST(histogram_add_duration_is_in_the_bucket_that_it_reaches)
{
	struct rtreg_histogram told;

	histogram_add(&statistics.grace_periods, durations[_i].took_ns);
	histogram_read(&statistics.grace_periods, &told);
	ck_assert_uint_eq(told.count, 1);
	ck_assert_uint_eq(told.sum_ns, durations[_i].took_ns > 0 ? (uint64_t)durations[_i].took_ns : 0);
	for (size_t i = 0; i < RTREG_HISTOGRAM_BUCKETS; i++)
		ck_assert_uint_eq(told.buckets[i].count, i == durations[_i].bucket);
}
END_TEST

START_TEST(histogram_read_bounds_rise_and_the_last_holds_everything)
{
	struct rtreg_histogram told;

	histogram_read(&statistics.grace_periods, &told);
	for (size_t i = 1; i < RTREG_HISTOGRAM_BUCKETS; i++)
		ck_assert_uint_lt(told.buckets[i - 1].upper_ns, told.buckets[i].upper_ns);
	ck_assert_uint_eq(told.buckets[RTREG_HISTOGRAM_BUCKETS - 1].upper_ns, UINT64_MAX);
}
END_TEST

static void *count_often(void *unused)
{
	(void)unused;
	for (int i = 0; i < TIMES; i++) {
		statistics_count(&statistics, COUNT_PROBES_FAILED, 2);
		histogram_add(&statistics.grace_periods, 1);
	}
	return NULL;
}

START_TEST(counting_from_many_threads_loses_nothing)
{
	struct rtreg_histogram told = {0};
	pthread_t threads[THREADS];
	uint64_t before = 0;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_often, NULL), 0);
	for (int i = 0; i < 100; i++) {
		histogram_read(&statistics.grace_periods, &told);
		ck_assert_uint_ge(told.count, before);
		before = told.count;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	histogram_read(&statistics.grace_periods, &told);
	ck_assert_uint_eq(told.count, THREADS * TIMES);
	ck_assert_uint_eq(statistics_counted(&statistics, COUNT_PROBES_FAILED), 2 * THREADS * TIMES);
	ck_assert_uint_eq(statistics_counted(&statistics, COUNT_PROBES_ANSWERED), 0);
}
END_TEST

START_TEST(without_statistics_nothing_is_counted)
{
	statistics_count(NULL, COUNT_FREED, 1);
	ck_assert_int_eq(statistics_stage(NULL, STAGE_READ, 7), 7);
	ck_assert_int_gt(statistics_step(NULL, "own", 7), 0);
}
END_TEST

START_TEST(stages_come_first_and_steps_in_the_order_of_their_first_run)
{
	struct rtreg_timing timings[STAGE_COUNT + 2];
	int64_t now_ns = statistics_now_ns();

	statistics_stage(&statistics, STAGE_MERGE, now_ns - 1000);
	statistics_step(&statistics, "second", now_ns);
	statistics_step(&statistics, "merge", now_ns); /* no relation of the built-in one */
	statistics_step(&statistics, "second", now_ns);
	ck_assert_uint_eq(statistics_timings(&statistics, timings, ARRAY_SIZE(timings)), STAGE_COUNT + 2);
	ck_assert_str_eq(timings[STAGE_READ].name, "read");
	ck_assert_uint_eq(timings[STAGE_READ].count, 0);
	ck_assert_str_eq(timings[STAGE_MERGE].name, "merge");
	ck_assert(timings[STAGE_MERGE].built_in);
	ck_assert_uint_eq(timings[STAGE_MERGE].count, 1);
	ck_assert_uint_ge(timings[STAGE_MERGE].sum_ns, 1000);
	ck_assert_str_eq(timings[STAGE_COUNT].name, "second");
	ck_assert(!timings[STAGE_COUNT].built_in);
	ck_assert_uint_eq(timings[STAGE_COUNT].count, 2);
	ck_assert_str_eq(timings[STAGE_COUNT + 1].name, "merge");
	ck_assert_uint_eq(timings[STAGE_COUNT + 1].count, 1);
}
END_TEST

START_TEST(timings_beyond_the_room_are_counted_and_not_written)
{
	struct rtreg_timing timings[2] = {{.count = 0}, {.count = 99}};

	statistics_step(&statistics, "own", 0);
	ck_assert_uint_eq(statistics_timings(&statistics, timings, 1), STAGE_COUNT + 1);
	ck_assert_uint_eq(timings[1].count, 99);
	ck_assert_uint_eq(statistics_timings(&statistics, NULL, 0), STAGE_COUNT + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("statistics");
	TCase *tests = tcase_create("statistics");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, histogram_add_duration_is_in_the_bucket_that_it_reaches, 0,
	                    ARRAY_SIZE(durations));
	tcase_add_test(tests, histogram_read_bounds_rise_and_the_last_holds_everything);
	tcase_add_test(tests, counting_from_many_threads_loses_nothing);
	tcase_add_test(tests, without_statistics_nothing_is_counted);
	tcase_add_test(tests, stages_come_first_and_steps_in_the_order_of_their_first_run);
	tcase_add_test(tests, timings_beyond_the_room_are_counted_and_not_written);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
