/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/axis.h"

#include <math.h>

#define FAR_APART 8 /* times */

static void add_tick(struct axis *axis, double value)
{
	const double slack = value * 1e-9;

	if (axis->tick_count < AXIS_TICKS_MAX && value >= axis->from - slack && value <= axis->to + slack)
		axis->ticks[axis->tick_count++] = value;
}

/* 1, 2, 5, 10, 20 …; only the tens where that would be too many. */
static void logarithmic_ticks(struct axis *axis)
{
	static const double steps[] = {1, 2, 5};
	const bool few = axis->to / axis->from > 1e5;

	for (int exponent = (int)floor(log10(axis->from)); pow(10, exponent) <= axis->to; exponent++)
		for (int i = 0; i < (few ? 1 : 3); i++)
			add_tick(axis, pow(10, exponent) * steps[i]);
}

/* Four to nine of them. */
static void linear_ticks(struct axis *axis)
{
	const double ten = pow(10, floor(log10(axis->to)));
	const double step = axis->to / ten < 2 ? ten / 4 : axis->to / ten < 5 ? ten / 2 : ten;

	for (int i = 0; i * step <= axis->to; i++)
		add_tick(axis, i * step);
}

void axis_init(struct axis *axis, double least, double most, double begin, double end)
{
	*axis = (struct axis){.begin = begin, .end = end, .logarithmic = most > FAR_APART * least};
	if (axis->logarithmic) {
		axis->from = least / 1.3;
		axis->to = most * 1.3;
		logarithmic_ticks(axis);
	} else {
		axis->to = most * 1.1;
		linear_ticks(axis);
	}
}

double axis_place(const struct axis *axis, double value)
{
	double share = (value - axis->from) / (axis->to - axis->from);

	if (axis->logarithmic)
		share = log(value / axis->from) / log(axis->to / axis->from);
	return axis->begin + share * (axis->end - axis->begin);
}
