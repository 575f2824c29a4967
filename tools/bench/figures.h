/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of the figures of many rounds: minimum, quartiles, maximum; the ratio of two cases, taken within each
 * round, where both had the same neighbours on the machine; and the rule for noise.
 *
 * The rule: a ratio is *within noise* if the middle half of its rounds is wider than its distance from 1, that is
 *
 *	upper quartile - lower quartile > |median - 1|
 *
 * Such a ratio is not printed: the run has not shown that the two differ.
 */
#ifndef RTREG_BENCH_FIGURES_H
#define RTREG_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

struct summary {
	double minimum, lower, median, upper, maximum; /* lower and upper: the quartiles */
};

/* Of `count` > 0 figures. -ENOMEM. */
int summarize(const double *figures, size_t count, struct summary *ret);
/* Of the quotients numerators[i] / denominators[i], times `scale`. -ENOMEM. */
int summarize_ratio(const double *numerators, const double *denominators, size_t count, double scale,
                    struct summary *ret);
/* The rule above. */
bool ratio_within_noise(const struct summary *ratio);

#endif
