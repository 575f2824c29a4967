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
	struct route_metrics routes[];
};

struct metrics *metrics_new(size_t routes)
{
	return calloc(1, sizeof(struct metrics) + routes * sizeof(struct route_metrics));
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

void metrics_request(struct metrics *metrics, size_t route, unsigned status, int64_t took_ns)
{
	if (status >= METRICS_STATUS_MIN && status < METRICS_STATUS_MIN + METRICS_STATUSES)
		add(&metrics->routes[route].by_status[status - METRICS_STATUS_MIN], 1);
	if (took_ns >= 0)
		histogram_add(&metrics->routes[route].durations, took_ns);
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
	return get(&metrics->routes[route].by_status[status - METRICS_STATUS_MIN]);
}

void metrics_request_durations(const struct metrics *metrics, size_t route, struct rtreg_histogram *ret)
{
	histogram_read(&metrics->routes[route].durations, ret);
}

void metrics_reload_durations(const struct metrics *metrics, struct rtreg_histogram *ret)
{
	histogram_read(&metrics->reload_durations, ret);
}
