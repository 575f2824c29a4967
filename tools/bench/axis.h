/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An axis of the chart: from values to places, linear from 0 or logarithmic, and the values that are marked on it. */
#ifndef RTREG_BENCH_AXIS_H
#define RTREG_BENCH_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#define AXIS_TICKS_MAX 32

struct axis {
	bool logarithmic;
	double from, to;   /* values at the two ends */
	double begin, end; /* their places */
	double ticks[AXIS_TICKS_MAX];
	size_t tick_count;
};

/* For values from `least` > 0 to `most`: logarithmic where they are far apart. Round numbers are marked. */
void axis_init(struct axis *axis, double least, double most, double begin, double end);
double axis_place(const struct axis *axis, double value);

#endif
