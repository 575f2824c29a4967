/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon counts about itself, and the page on which that and what the library counts are told
 * (docs/metrics.md). Counting is an atomic addition: any thread, never waits. Requests are counted in columns, one for
 * each thread that answers them, so that these do not wait for each other's processor.
 */
#ifndef RTREGD_METRICS_H
#define RTREGD_METRICS_H

#include "base/statistics.h"
#include "base/text.h"

struct metrics;
struct service;

enum metrics_counter {
	METRICS_ACCEPTED,
	METRICS_REFUSED, /* too many connections in all */
	METRICS_REFUSED_OF_USER,
	METRICS_REFUSED_NO_MEMORY,
	METRICS_ACCEPT_PAUSES,
	METRICS_REQUESTS_UNREAD,
	METRICS_REPLIES_KEPT,
	METRICS_COUNTERS,
};

/* `routes`, `columns`: how many there are. NULL without memory. */
struct metrics *metrics_new(size_t routes, size_t columns);
void metrics_free(struct metrics *metrics);

void metrics_count(struct metrics *metrics, enum metrics_counter counter, uint64_t by);
/* A request that gets its reply; `route` is a number of routes.h. `took_ns` is left out where it is negative. */
void metrics_request(struct metrics *metrics, size_t column, size_t route, unsigned status, int64_t took_ns);
void metrics_reload(struct metrics *metrics, int64_t took_ns);

/* --- reading */

uint64_t metrics_counted(const struct metrics *metrics, enum metrics_counter counter);
uint64_t metrics_requests(const struct metrics *metrics, size_t route, unsigned status);
void metrics_request_durations(const struct metrics *metrics, size_t route, struct rtreg_histogram *ret);
void metrics_reload_durations(const struct metrics *metrics, struct rtreg_histogram *ret);

/* The status codes that are told apart: from METRICS_STATUS_MIN, that many. */
#define METRICS_STATUS_MIN 100
#define METRICS_STATUSES   500

/*
 * Appends the page. Context: any thread while the registry is open. Passes no gate, so that the diagnostic port's
 * thread can be waited for in a reload: generation and result are of one moment nonetheless, the history's.
 */
void metrics_append_page(const struct service *service, struct text *text);

#endif
