/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "metrics.h"

#include <stdlib.h>

struct route_metrics {
	_Atomic uint64_t by_status[METRICS_STATUSES];
	struct histogram durations;
};

struct metrics {
	_Atomic uint64_t counters[METRICS_COUNTERS];
	struct histogram reload_durations;
	size_t route_count, columns;
	struct route_metrics requests[]; /* by column and route */
};

struct metrics *metrics_new(size_t routes, size_t columns)
{
	struct metrics *metrics =
	        calloc(1, sizeof(*metrics) + routes * columns * sizeof(metrics->requests[0]));

	if (!metrics)
		return NULL;
	metrics->route_count = routes;
	metrics->columns = columns;
	return metrics;
}

static size_t place_of(const struct metrics *metrics, size_t column, size_t route)
{
	return column * metrics->route_count + route;
}

void metrics_free(struct metrics *metrics)
{
	free(metrics);
}

static void add(_Atomic uint64_t *number, uint64_t by)
{
	atomic_fetch_add_explicit(number, by, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

void metrics_count(struct metrics *metrics, enum metrics_counter counter, uint64_t by)
{
	add(&metrics->counters[counter], by);
}

void metrics_request(struct metrics *metrics, size_t column, size_t route, unsigned status, int64_t took_ns)
{
	struct route_metrics *requests = &metrics->requests[place_of(metrics, column, route)];

	if (status >= METRICS_STATUS_MIN && status < METRICS_STATUS_MIN + METRICS_STATUSES)
		add(&requests->by_status[status - METRICS_STATUS_MIN], 1);
	if (took_ns >= 0)
		histogram_add(&requests->durations, took_ns);
}

void metrics_reload(struct metrics *metrics, int64_t took_ns)
{
	histogram_add(&metrics->reload_durations, took_ns);
}

uint64_t metrics_counted(const struct metrics *metrics, enum metrics_counter counter)
{
	return get(&metrics->counters[counter]);
}

uint64_t metrics_requests(const struct metrics *metrics, size_t route, unsigned status)
{
	uint64_t sum = 0;

	for (size_t column = 0; column < metrics->columns; column++)
		sum += get(&metrics->requests[place_of(metrics, column, route)]
		                    .by_status[status - METRICS_STATUS_MIN]);
	return sum;
}

void metrics_request_durations(const struct metrics *metrics, size_t route, struct rtreg_histogram *ret)
{
	struct rtreg_histogram one;

	histogram_read(&metrics->requests[place_of(metrics, 0, route)].durations, ret);
	for (size_t column = 1; column < metrics->columns; column++) {
		histogram_read(&metrics->requests[place_of(metrics, column, route)].durations, &one);
		ret->count += one.count;
		ret->sum_ns += one.sum_ns;
		for (size_t i = 0; i < RTREG_HISTOGRAM_BUCKETS; i++)
			ret->buckets[i].count += one.buckets[i].count;
	}
}

void metrics_reload_durations(const struct metrics *metrics, struct rtreg_histogram *ret)
{
	histogram_read(&metrics->reload_durations, ret);
}
