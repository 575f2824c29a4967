/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/figures.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* What stands at a place between two figures is between the two. */
static double quantile(const double *sorted, size_t count, double share)
{
	const double at = share * (double)(count - 1);
	const size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;

	return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

static void summarize_in_place(double *figures, size_t count, struct summary *ret)
{
	qsort(figures, count, sizeof(*figures), compare);
	*ret = (struct summary){
	        .minimum = figures[0],
	        .lower = quantile(figures, count, 0.25),
	        .median = quantile(figures, count, 0.5),
	        .upper = quantile(figures, count, 0.75),
	        .maximum = figures[count - 1],
	};
}

int summarize(const double *figures, size_t count, struct summary *ret)
{
	_cleanup_free_ double *copy = calloc(count, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, figures, count * sizeof(*copy));
	summarize_in_place(copy, count, ret);
	return 0;
}

int summarize_ratio(const double *numerators, const double *denominators, size_t count, double scale,
                    struct summary *ret)
{
	_cleanup_free_ double *ratios = calloc(count, sizeof(*ratios));

	if (!ratios)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		ratios[i] = scale * numerators[i] / denominators[i];
	summarize_in_place(ratios, count, ret);
	return 0;
}

bool ratio_within_noise(const struct summary *ratio)
{
	return ratio->upper - ratio->lower > fabs(ratio->median - 1);
}
