/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exposition.h"

#include <string.h>

#include "unit.h"

static struct text text;
static struct exposition out;

static void setup(void)
{
	text = (struct text){0};
	out = (struct exposition){.text = &text, .name = "m"};
}

static void teardown(void)
{
	text_fini(&text);
}

START_TEST(begin_writes_help_and_type_and_escapes_the_help)
{
	exposition_begin(&out, "n_total", "counter", "a \\ \"b\"\nc");
	ck_assert_str_eq(text_string(&text), "# HELP n_total a \\\\ \"b\"\\nc\n# TYPE n_total counter\n");
	ck_assert_str_eq(out.name, "n_total");
}
END_TEST

START_TEST(number_without_labels_has_no_braces)
{
	exposition_number(&out, NULL, UINT64_MAX);
	ck_assert_str_eq(text_string(&text), "m 18446744073709551615\n");
}
END_TEST

START_TEST(labels_are_escaped)
{
	const struct label labels[] = {{"a", "x\\y\n\"z\"\xc3\xa9"}, {"b", ""}, {0}};

	exposition_number(&out, labels, 1);
	ck_assert_str_eq(text_string(&text), "m{a=\"x\\\\y\\n\\\"z\\\"\xc3\xa9\",b=\"\"} 1\n");
}
END_TEST

START_TEST(seconds_are_exact)
{
	exposition_seconds(&out, NULL, UINT64_C(1795365674334089343));
	exposition_seconds(&out, NULL, 1);
	ck_assert_str_eq(text_string(&text), "m 1795365674.334089343\nm 0.000000001\n");
}
END_TEST

START_TEST(summary_is_sum_and_count)
{
	const struct label labels[] = {{"a", "x"}, {0}};

	exposition_summary(&out, labels, 3, 1500000000);
	ck_assert_str_eq(text_string(&text), "m_sum{a=\"x\"} 1.500000000\nm_count{a=\"x\"} 3\n");
}
END_TEST

START_TEST(histogram_buckets_hold_those_below_and_le_comes_last)
{
	const struct label labels[] = {{"a", "x"}, {0}};
	struct rtreg_histogram histogram = {.count = 6, .sum_ns = 7000000000};

	for (size_t i = 0; i < RTREG_HISTOGRAM_BUCKETS; i++)
		histogram.buckets[i].upper_ns = UINT64_MAX;
	histogram.buckets[0] = (struct rtreg_bucket){.upper_ns = 500000, .count = 1};
	histogram.buckets[1] = (struct rtreg_bucket){.upper_ns = 10000000000, .count = 2};
	histogram.buckets[2].count = 3;
	exposition_histogram(&out, labels, &histogram);
	ck_assert_ptr_nonnull(strstr(text_string(&text), "m_bucket{a=\"x\",le=\"0.0005\"} 1\n"
	                                                 "m_bucket{a=\"x\",le=\"10\"} 3\n"
	                                                 "m_bucket{a=\"x\",le=\"+Inf\"} 6\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&text), "m_sum{a=\"x\"} 7.000000000\nm_count{a=\"x\"} 6\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exposition");
	TCase *tests = tcase_create("exposition");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, begin_writes_help_and_type_and_escapes_the_help);
	tcase_add_test(tests, number_without_labels_has_no_braces);
	tcase_add_test(tests, labels_are_escaped);
	tcase_add_test(tests, seconds_are_exact);
	tcase_add_test(tests, summary_is_sum_and_count);
	tcase_add_test(tests, histogram_buckets_hold_those_below_and_le_comes_last);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
