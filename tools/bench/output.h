/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run's results, for people (aligned, or as Markdown), for programs (JSON) and as a picture (SVG). Each appends to a
 * text, which becomes `failed` without memory; the same results give the same bytes.
 */
#ifndef RTREG_BENCH_OUTPUT_H
#define RTREG_BENCH_OUTPUT_H

#include "base/text.h"
#include "bench/bench.h"
#include "bench/figures.h"

/* The tables of cases and goals; Markdown, or aligned for a terminal. 0, -ENOMEM. */
int output_tables(struct text *text, const struct bench *bench, bool markdown);
/* 0, -ENOMEM. */
int output_json(struct text *text, const struct bench *bench);
/* The chart: each series a line over `x`. 0, -ENOMEM. */
int output_chart(struct text *text, const struct bench *bench);

/* A figure as people read it: "4.21 ns", "1.25 ms", "3.2 KiB", "17". */
void output_figure(struct text *text, enum bench_unit unit, double figure);

/* The ratio of a case to its reference. 0; -ENOENT without one; -ENOMEM. */
int output_ratio(const struct bench *bench, const struct bench_result *result, struct summary *ret);

#endif
