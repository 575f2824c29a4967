/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The results for programs. The members are told in docs/performance.md. */
#include <errno.h>
#include <stdio.h>

#include "base/json_write.h"
#include "bench/goals.h"
#include "bench/output.h"

static const char *const unit_names[] = {
        [BENCH_NS] = "ns",
        [BENCH_BYTES] = "bytes",
        [BENCH_COUNT] = "count",
};

static void member_number(struct text *text, const char *key, double number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.6g", number);
	json_member_raw(text, key, digits);
}

static void append_summary(struct text *text, const struct summary *summary)
{
	member_number(text, "min", summary->minimum);
	member_number(text, "lower", summary->lower);
	member_number(text, "median", summary->median);
	member_number(text, "upper", summary->upper);
	member_number(text, "max", summary->maximum);
}

static int append_ratio(struct text *text, const struct bench *bench, const struct bench_result *result)
{
	struct summary ratio;
	const int r = output_ratio(bench, result, &ratio);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	json_member_string(text, "reference", result->subject.reference);
	json_member_bool(text, "within-noise", ratio_within_noise(&ratio));
	json_key(text, "ratio");
	if (ratio_within_noise(&ratio)) {
		json_null(text);
		return 0;
	}
	json_open(text, '{');
	append_summary(text, &ratio);
	json_close(text, '}');
	return 0;
}

static int append_case(struct text *text, const struct bench *bench, const struct bench_result *result)
{
	const struct bench_case *subject = &result->subject;
	struct summary summary;
	int r = summarize(result->figures, bench->rounds, &summary);

	if (r < 0)
		return r;
	json_open(text, '{');
	json_member_string(text, "name", subject->name);
	json_member_string(text, "series", *subject->series ? subject->series : NULL);
	member_number(text, "x", subject->x);
	json_member_uint(text, "threads", subject->threads ? subject->threads : 1);
	json_member_string(text, "unit", unit_names[subject->unit]);
	append_summary(text, &summary);
	r = append_ratio(text, bench, result);
	json_close(text, '}');
	return r;
}

static void append_judgement(struct text *text, const struct judgement *judgement)
{
	const struct goal *goal = judgement->goal;

	json_open(text, '{');
	json_member_string(text, "id", goal->id);
	json_member_string(text, "case", goal->subject);
	json_member_string(text, "reference", goal->reference);
	member_number(text, "bound", goal->bound);
	json_member_bool(text, "at-least", goal->kind != GOAL_COST);
	member_number(text, "measured", judgement->ratio.median);
	member_number(text, "factor", judgement->factor);
	json_member_string(text, "verdict", verdict_name(judgement->verdict));
	json_member_string(text, "source", goal->source);
	json_close(text, '}');
}

static int append_goals(struct text *text, const struct bench *bench)
{
	struct judgement judgement;

	json_key(text, "goals");
	json_open(text, '[');
	for (size_t i = 0; i < goal_count; i++) {
		const int r = goal_judge(bench, &goals[i], &judgement);

		if (r == 0)
			append_judgement(text, &judgement);
		else if (r != -ENOENT)
			return r;
	}
	json_close(text, ']');
	return 0;
}

int output_json(struct text *text, const struct bench *bench)
{
	int r = 0;

	json_open(text, '{');
	json_member_string(text, "subcommand", bench->subcommand->name);
	json_member_string(text, "version", RTREG_VERSION);
	json_member_uint(text, "processors", bench->processors);
	json_member_uint(text, "rounds", bench->rounds);
	json_member_int(text, "slice-ns", bench->slice_ns);
	json_member_uint(text, "runtimes", bench->runtimes);
	json_key(text, "cases");
	json_open(text, '[');
	for (size_t i = 0; i < bench->count && r == 0; i++)
		r = append_case(text, bench, &bench->results[i]);
	json_close(text, ']');
	if (r == 0)
		r = append_goals(text, bench);
	json_close(text, '}');
	text_append_char(text, '\n');
	return r;
}
