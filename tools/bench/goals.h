/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The goals, each in one line of one table (goals.c), and the verdict of a run on them. */
#ifndef RTREG_BENCH_GOALS_H
#define RTREG_BENCH_GOALS_H

#include "base/text.h"
#include "bench/bench.h"
#include "bench/figures.h"

enum goal_kind {
	GOAL_COST,    /* case / reference at most `bound`; without a reference: the case's own figure */
	GOAL_SPEEDUP, /* reference / case at least `bound` */
	/* what all threads of the case do in a time / what those of the reference do: at least `bound` */
	GOAL_THROUGHPUT,
};

struct goal {
	const char *id;
	const char *subcommand;
	const char *subject, *reference; /* names of cases; `reference` NULL: none */
	enum goal_kind kind;
	double bound;
	const char *source; /* what it is and where the figure comes from, for people */
};

enum verdict {
	GOAL_MET,
	GOAL_MISSED,
	GOAL_OPEN, /* the noise lies around the bound: the middle half of the rounds is on both sides of it */
};

/* What a run says of one goal. */
struct judgement {
	const struct goal *goal;
	struct summary ratio;
	enum verdict verdict;
	double factor; /* by how much the bound is missed, by the better of the quartiles; at most 1 if it is not */
};

extern const struct goal goals[];
extern const size_t goal_count;

/* 0; -ENOENT if the goal is another subcommand's, or the run has not measured its cases; -ENOMEM. */
int goal_judge(const struct bench *bench, const struct goal *goal, struct judgement *ret);
/* What a goal asks for: "at most 1.15 x raw". */
void goal_describe(struct text *text, const struct goal *goal);
/* "met", "missed", "open". */
const char *verdict_name(enum verdict verdict);

#endif
