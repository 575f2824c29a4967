/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The results for people: a table of the cases, and one of the goals. */
#include <errno.h>
#include <math.h>

#include "bench/goals.h"
#include "bench/grid.h"
#include "bench/output.h"

struct unit {
	double from;
	const char *name;
};

static const struct unit times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "\xc2\xb5s"}, {0, "ns"}};
static const struct unit sizes[] = {{1048576, "MiB"}, {1024, "KiB"}, {0, "B"}};

/* Three digits that mean something. */
static void append_number(struct text *text, double number)
{
	const double size = fabs(number);

	text_printf(text, "%.*f", size < 9.995 ? 2 : size < 99.95 ? 1 : 0, number);
}

void output_figure(struct text *text, enum bench_unit unit, double figure)
{
	const struct unit *one = unit == BENCH_NS ? times : sizes;

	if (unit == BENCH_COUNT) {
		text_printf(text, "%.0f", figure);
		return;
	}
	while (one->from > 0 && figure < one->from)
		one++;
	append_number(text, one->from > 0 ? figure / one->from : figure);
	text_printf(text, " %s", one->name);
}

int output_ratio(const struct bench *bench, const struct bench_result *result, struct summary *ret)
{
	const struct bench_result *reference = NULL;

	if (*result->subject.reference)
		reference = bench_find(bench, result->subject.reference);
	if (!reference || !reference->figures)
		return -ENOENT;
	return summarize_ratio(result->figures, reference->figures, bench->rounds, 1, ret);
}

static void add_figure(struct grid *grid, enum bench_unit unit, double figure)
{
	_cleanup_text_ struct text cell = {0};

	output_figure(&cell, unit, figure);
	grid_take(grid, &cell);
}

/* "1.08 (1.06 to 1.11)" */
static void append_spread(struct text *text, const struct summary *ratio)
{
	append_number(text, ratio->median);
	text_append(text, " (");
	append_number(text, ratio->minimum);
	text_append(text, " to ");
	append_number(text, ratio->maximum);
	text_append(text, ")");
}

static int add_ratio(struct grid *grid, const struct bench *bench, const struct bench_result *result)
{
	_cleanup_text_ struct text cell = {0};
	struct summary ratio;
	const int r = output_ratio(bench, result, &ratio);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && ratio_within_noise(&ratio))
		text_append(&cell, "within noise");
	else if (r == 0)
		append_spread(&cell, &ratio);
	grid_take(grid, &cell);
	grid_add(grid, r == 0 ? result->subject.reference : "");
	return 0;
}

static int add_case(struct grid *grid, const struct bench *bench, const struct bench_result *result)
{
	struct summary summary;
	const int r = summarize(result->figures, bench->rounds, &summary);

	if (r < 0)
		return r;
	grid_add(grid, result->subject.name);
	add_figure(grid, result->subject.unit, summary.minimum);
	add_figure(grid, result->subject.unit, summary.median);
	add_figure(grid, result->subject.unit, summary.maximum);
	return add_ratio(grid, bench, result);
}

static int append_cases(struct text *text, const struct bench *bench, bool markdown)
{
	static const char *const heads[] = {"case", "min", "median", "max", "ratio (min to max)", "to"};
	_cleanup_grid_ struct grid grid = {.columns = ARRAY_SIZE(heads), .left = 1u | 1u << 5};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		grid_add(&grid, heads[i]);
	for (size_t i = 0; i < bench->count && r == 0; i++)
		r = add_case(&grid, bench, &bench->results[i]);
	return r < 0 ? r : grid_print(&grid, text, markdown);
}

/* Ratios as numbers; the bound of a goal without a reference is a figure. */
static void append_measured(struct text *text, const struct bench *bench, const struct goal *goal,
                            double number)
{
	if (goal->reference)
		append_number(text, number);
	else
		output_figure(text, bench_find(bench, goal->subject)->subject.unit, number);
}

/* "met 1.08 <= 1.15", "missed by a factor of 1.4: 1.61 > 1.15", "open: 1.14 with 1.15 in its noise" */
static void append_verdict(struct text *text, const struct bench *bench, const struct judgement *judgement)
{
	static const char *const between[][2] = {
	        [GOAL_MET] = {" >= ", " <= "},
	        [GOAL_MISSED] = {" < ", " > "},
	        [GOAL_OPEN] = {", and the noise lies around ", ", and the noise lies around "},
	};
	const struct goal *goal = judgement->goal;
	const bool cost = goal->kind == GOAL_COST;

	text_append(text, verdict_name(judgement->verdict));
	text_append_char(text, ' ');
	if (judgement->verdict == GOAL_MISSED)
		text_printf(text, "by a factor of %.2f: ", judgement->factor);
	append_measured(text, bench, goal, judgement->ratio.median);
	text_append(text, between[judgement->verdict][cost]);
	append_measured(text, bench, goal, goal->bound);
}

static int append_goals(struct text *text, const struct bench *bench, bool markdown)
{
	static const char *const heads[] = {"goal", "verdict", "what it is"};
	_cleanup_grid_ struct grid grid = {.columns = ARRAY_SIZE(heads), .left = 7};
	struct judgement judgement;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		grid_add(&grid, heads[i]);
	for (size_t i = 0; i < goal_count; i++) {
		_cleanup_text_ struct text cell = {0};
		const int r = goal_judge(bench, &goals[i], &judgement);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		append_verdict(&cell, bench, &judgement);
		grid_add(&grid, goals[i].id);
		grid_take(&grid, &cell);
		grid_add(&grid, goals[i].source);
	}
	if (grid.count == grid.columns)
		return 0;
	text_append_char(text, '\n');
	return grid_print(&grid, text, markdown);
}

int output_tables(struct text *text, const struct bench *bench, bool markdown)
{
	const int r = append_cases(text, bench, markdown);

	return r < 0 ? r : append_goals(text, bench, markdown);
}
