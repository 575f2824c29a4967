/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rtreg-bench makes of figures: statistics, verdicts, tables, the chart. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "bench/axis.h"
#include "bench/goals.h"
#include "bench/grid.h"
#include "bench/output.h"
#include "unit.h"

#define ROUNDS 5

static double raw_figures[ROUNDS] = {4, 4, 4, 4, 4};
static double double_figures[ROUNDS] = {8, 8.2, 7.8, 8.1, 7.9};
static double noisy_figures[ROUNDS] = {4, 4.4, 3.6, 6, 2};

static struct bench_result results[] = {
        {{.name = "raw", .series = "raw", .x = 1, .threads = 1}, raw_figures},
        {{.name = "<double> & more", .series = "<double> & more", .reference = "raw", .x = 1, .threads = 1},
         double_figures},
        {{.name = "noisy", .series = "raw", .reference = "raw", .x = 2, .threads = 2}, noisy_figures},
};

static const struct subcommand subcommand = {
        .name = "played", .help = "a <played> one", .x_label = "readers", .y_label = "time & more"};

static const struct bench bench = {
        .rounds = ROUNDS,
        .processors = 2,
        .subcommand = &subcommand,
        .results = results,
        .count = ARRAY_SIZE(results),
};

static void assert_near(double found, double expected)
{
	ck_assert_msg(fabs(found - expected) < 1e-9, "%.12g, not %.12g", found, expected);
}

/* --- statistics --- */

START_TEST(summarize_odd_count_takes_the_middle)
{
	static const double figures[] = {9, 1, 5, 3, 7};
	struct summary summary;

	ck_assert_int_eq(summarize(figures, ARRAY_SIZE(figures), &summary), 0);
	assert_near(summary.minimum, 1);
	assert_near(summary.lower, 3);
	assert_near(summary.median, 5);
	assert_near(summary.upper, 7);
	assert_near(summary.maximum, 9);
}
END_TEST

START_TEST(summarize_even_count_goes_between_two)
{
	static const double figures[] = {4, 1, 3, 2};
	struct summary summary;

	ck_assert_int_eq(summarize(figures, ARRAY_SIZE(figures), &summary), 0);
	assert_near(summary.median, 2.5);
	assert_near(summary.lower, 1.75);
	assert_near(summary.upper, 3.25);
}
END_TEST

START_TEST(summarize_one_figure_is_all_of_them)
{
	static const double figure = 3;
	struct summary summary;

	ck_assert_int_eq(summarize(&figure, 1, &summary), 0);
	assert_near(summary.minimum, 3);
	assert_near(summary.median, 3);
	assert_near(summary.maximum, 3);
}
END_TEST

/* The medians are 10 and 10; in each round one is twice the other. */
START_TEST(summarize_ratio_is_taken_within_rounds)
{
	static const double numerators[] = {2, 10, 40}, denominators[] = {1, 5, 20};
	struct summary ratio;

	ck_assert_int_eq(summarize_ratio(numerators, denominators, 3, 1, &ratio), 0);
	assert_near(ratio.minimum, 2);
	assert_near(ratio.maximum, 2);
}
END_TEST

static const struct {
	struct summary ratio;
	bool within;
} noises[] = {
        {{.lower = 1.05, .median = 1.1, .upper = 1.14}, false},
        {{.lower = 1.05, .median = 1.1, .upper = 1.16}, true},
        {{.lower = 0.45, .median = 0.5, .upper = 0.55}, false},
        {{.lower = 0.7, .median = 0.9, .upper = 1.1}, true},
        {{.lower = 1, .median = 1, .upper = 1.001}, true},
        {{.lower = 1.5, .median = 2, .upper = 2.4}, false},
};

START_TEST(ratio_within_noise_case_gives_expected)
{
	ck_assert_int_eq(ratio_within_noise(&noises[_i].ratio), noises[_i].within);
}
END_TEST

/* --- goals --- */

static const struct {
	struct goal goal;
	enum verdict verdict;
	double median, factor;
} judged[] = {
        {{"", "played", "<double> & more", "raw", GOAL_COST, 2.1, ""}, GOAL_MET, 2, 1.975 / 2.1},
        {{"", "played", "<double> & more", "raw", GOAL_COST, 1.5, ""}, GOAL_MISSED, 2, 1.975 / 1.5},
        {{"", "played", "<double> & more", "raw", GOAL_COST, 2, ""}, GOAL_OPEN, 2, 1.975 / 2},
        {{"", "played", "<double> & more", NULL, GOAL_COST, 9, ""}, GOAL_MET, 8, 7.9 / 9},
        {{"", "played", "raw", "<double> & more", GOAL_SPEEDUP, 1.9, ""}, GOAL_MET, 2, 1.9 / 2.025},
        {{"", "played", "raw", "<double> & more", GOAL_SPEEDUP, 4, ""}, GOAL_MISSED, 2, 4 / 2.025},
        /* two threads at the cost of one do twice as much */
        {{"", "played", "noisy", "raw", GOAL_THROUGHPUT, 1.5, ""}, GOAL_MET, 2, 1.5 / (8 / 3.6)},
};

START_TEST(goal_judge_case_gives_expected)
{
	struct judgement judgement;

	ck_assert_int_eq(goal_judge(&bench, &judged[_i].goal, &judgement), 0);
	ck_assert_str_eq(verdict_name(judgement.verdict), verdict_name(judged[_i].verdict));
	assert_near(judgement.ratio.median, judged[_i].median);
	assert_near(judgement.factor, judged[_i].factor);
}
END_TEST

START_TEST(goal_judge_what_was_not_measured_says_so)
{
	static const struct goal missing[] = {
	        {"", "another", "raw", NULL, GOAL_COST, 1, ""},
	        {"", "played", "none", NULL, GOAL_COST, 1, ""},
	        {"", "played", "raw", "none", GOAL_COST, 1, ""},
	};
	struct judgement judgement;

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		ck_assert_int_eq(goal_judge(&bench, &missing[i], &judgement), -ENOENT);
}
END_TEST

START_TEST(goals_are_sound)
{
	for (size_t i = 0; i < goal_count; i++) {
		ck_assert_msg(goals[i].bound > 0 && *goals[i].id && *goals[i].subject && *goals[i].source,
		              "goal %zu is not complete", i);
		ck_assert(goals[i].reference || goals[i].kind == GOAL_COST);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(goals[i].id, goals[j].id);
	}
}
END_TEST

/* --- output --- */

static const struct {
	enum bench_unit unit;
	double figure;
	const char *text;
} figures[] = {
        {BENCH_NS, 0.297, "0.30 ns"},       {BENCH_NS, 4.2, "4.20 ns"},      {BENCH_NS, 99.96, "100 ns"},
        {BENCH_NS, 1500, "1.50 \xc2\xb5s"}, {BENCH_NS, 2.5e6, "2.50 ms"},    {BENCH_NS, 12e9, "12.0 s"},
        {BENCH_BYTES, 12, "12.0 B"},        {BENCH_BYTES, 4096, "4.00 KiB"}, {BENCH_COUNT, 17, "17"},
};

START_TEST(output_figure_case_gives_expected)
{
	_cleanup_text_ struct text text = {0};

	output_figure(&text, figures[_i].unit, figures[_i].figure);
	ck_assert_str_eq(text_string(&text), figures[_i].text);
}
END_TEST

START_TEST(output_tables_ratio_larger_than_noise_is_printed)
{
	_cleanup_text_ struct text text = {0};

	ck_assert_int_eq(output_tables(&text, &bench, false), 0);
	ck_assert_ptr_nonnull(strstr(text_string(&text), "2.00 (1.95 to 2.05)"));
}
END_TEST

/* Of the medians 4 and 4 nothing is said. */
START_TEST(output_tables_ratio_within_noise_is_refused)
{
	_cleanup_text_ struct text text = {0};
	const char *line, *end;

	ck_assert_int_eq(output_tables(&text, &bench, false), 0);
	line = strstr(text_string(&text), "\nnoisy");
	ck_assert_ptr_nonnull(line);
	end = strchr(line + 1, '\n');
	ck_assert_ptr_nonnull(memmem(line, (size_t)(end - line), "within noise", 12));
	ck_assert_ptr_null(memmem(line, (size_t)(end - line), " to ", 4));
}
END_TEST

START_TEST(output_json_ratio_within_noise_is_null)
{
	_cleanup_text_ struct text text = {0};

	ck_assert_int_eq(output_json(&text, &bench), 0);
	ck_assert_ptr_nonnull(strstr(text_string(&text), "\"within-noise\":true,\"ratio\":null"));
	ck_assert_ptr_nonnull(strstr(text_string(&text), "\"within-noise\":false,\"ratio\":{\"min\":1.95,"));
}
END_TEST

START_TEST(grid_print_numbers_are_aligned_at_the_right)
{
	_cleanup_grid_ struct grid grid = {.columns = 2, .left = 1};
	_cleanup_text_ struct text text = {0};

	grid_add(&grid, "\xc2\xb5");
	grid_add(&grid, "1");
	grid_add(&grid, "long one");
	grid_add(&grid, "1000");
	ck_assert_int_eq(grid_print(&grid, &text, false), 0);
	ck_assert_str_eq(text_string(&text), "\xc2\xb5            1\nlong one  1000\n");
}
END_TEST

START_TEST(grid_print_markdown_has_a_rule_below_its_head)
{
	_cleanup_grid_ struct grid grid = {.columns = 2, .left = 1};
	_cleanup_text_ struct text text = {0};

	grid_add(&grid, "case");
	grid_add(&grid, "min");
	grid_add(&grid, "raw");
	grid_add(&grid, "4.2");
	ck_assert_int_eq(grid_print(&grid, &text, true), 0);
	ck_assert_str_eq(text_string(&text), "| case | min |\n| ---- | --: |\n| raw  | 4.2 |\n");
}
END_TEST

START_TEST(output_chart_same_figures_give_the_same_bytes)
{
	_cleanup_text_ struct text once = {0}, again = {0};

	ck_assert_int_eq(output_chart(&once, &bench), 0);
	ck_assert_int_eq(output_chart(&again, &bench), 0);
	ck_assert_str_eq(text_string(&once), text_string(&again));
}
END_TEST

START_TEST(output_chart_names_are_escaped)
{
	_cleanup_text_ struct text text = {0};

	ck_assert_int_eq(output_chart(&text, &bench), 0);
	ck_assert_ptr_nonnull(strstr(text_string(&text), "&lt;double&gt; &amp; more: 8.00 ns"));
	ck_assert_ptr_null(strstr(text_string(&text), "<double>"));
}
END_TEST

START_TEST(output_chart_without_cases_is_a_picture)
{
	const struct bench empty = {.rounds = 1, .subcommand = &subcommand};
	_cleanup_text_ struct text text = {0};

	ck_assert_int_eq(output_chart(&text, &empty), 0);
	ck_assert_ptr_nonnull(strstr(text_string(&text), "</svg>\n"));
}
END_TEST

START_TEST(axis_far_apart_is_logarithmic_and_near_is_not)
{
	struct axis axis;

	axis_init(&axis, 1, 100, 0, 1);
	ck_assert(axis.logarithmic);
	assert_near(axis_place(&axis, 10), 0.5);
	axis_init(&axis, 3, 10, 0, 1);
	ck_assert(!axis.logarithmic);
	assert_near(axis_place(&axis, 5.5), 0.5);
}
END_TEST

START_TEST(axis_ticks_lie_within_it)
{
	static const double mosts[] = {0.4, 1, 1.9, 4.9, 9.9, 1e3, 1e5, 1e9};
	struct axis axis;

	for (size_t i = 0; i < ARRAY_SIZE(mosts); i++) {
		axis_init(&axis, 0.3, mosts[i], 0, 1);
		ck_assert_uint_ge(axis.tick_count, 2);
		for (size_t j = 0; j < axis.tick_count; j++) {
			const double place = axis_place(&axis, axis.ticks[j]);

			ck_assert_msg(place > -1e-6 && place < 1 + 1e-6, "%g: %g", mosts[i], axis.ticks[j]);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench");
	TCase *tests = tcase_create("bench");

	tcase_add_test(tests, summarize_odd_count_takes_the_middle);
	tcase_add_test(tests, summarize_even_count_goes_between_two);
	tcase_add_test(tests, summarize_one_figure_is_all_of_them);
	tcase_add_test(tests, summarize_ratio_is_taken_within_rounds);
	tcase_add_loop_test(tests, ratio_within_noise_case_gives_expected, 0, ARRAY_SIZE(noises));
	tcase_add_loop_test(tests, goal_judge_case_gives_expected, 0, ARRAY_SIZE(judged));
	tcase_add_test(tests, goal_judge_what_was_not_measured_says_so);
	tcase_add_test(tests, goals_are_sound);
	tcase_add_loop_test(tests, output_figure_case_gives_expected, 0, ARRAY_SIZE(figures));
	tcase_add_test(tests, output_tables_ratio_larger_than_noise_is_printed);
	tcase_add_test(tests, output_tables_ratio_within_noise_is_refused);
	tcase_add_test(tests, output_json_ratio_within_noise_is_null);
	tcase_add_test(tests, grid_print_numbers_are_aligned_at_the_right);
	tcase_add_test(tests, grid_print_markdown_has_a_rule_below_its_head);
	tcase_add_test(tests, output_chart_same_figures_give_the_same_bytes);
	tcase_add_test(tests, output_chart_names_are_escaped);
	tcase_add_test(tests, output_chart_without_cases_is_a_picture);
	tcase_add_test(tests, axis_far_apart_is_logarithmic_and_near_is_not);
	tcase_add_test(tests, axis_ticks_lie_within_it);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
