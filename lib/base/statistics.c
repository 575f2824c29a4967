/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/statistics.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- histograms --- */

static const uint64_t upper_ns[RTREG_HISTOGRAM_BUCKETS] = {
        100000,    500000,    1000000,    5000000,    10000000,    50000000,
        100000000, 500000000, 1000000000, 5000000000, 10000000000, UINT64_MAX,
};

void histogram_add(struct histogram *histogram, int64_t took_ns)
{
	uint64_t took = took_ns > 0 ? (uint64_t)took_ns : 0;
	size_t i = 0;

	while (took > upper_ns[i])
		i++;
	atomic_fetch_add_explicit(&histogram->sum_ns, took, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->buckets[i], 1, memory_order_relaxed);
}

/* The count is made of the buckets, so that it is theirs whoever adds meanwhile. */
void histogram_read(const struct histogram *histogram, struct rtreg_histogram *ret)
{
	*ret = (struct rtreg_histogram){
	        .sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed)};
	for (size_t i = 0; i < RTREG_HISTOGRAM_BUCKETS; i++) {
		struct rtreg_bucket *bucket = &ret->buckets[i];

		bucket->upper_ns = upper_ns[i];
		bucket->count = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
		ret->count += bucket->count;
	}
}

/* --- counters --- */

void statistics_count(struct statistics *statistics, enum statistics_counter counter, uint64_t by)
{
	if (statistics)
		atomic_fetch_add_explicit(&statistics->counters[counter], by, memory_order_relaxed);
}

uint64_t statistics_counted(const struct statistics *statistics, enum statistics_counter counter)
{
	return atomic_load_explicit(&statistics->counters[counter], memory_order_relaxed);
}

/* --- durations --- */

static const char *const stage_names[STAGE_COUNT] = {
        [STAGE_READ] = "read",       [STAGE_MERGE] = "merge",     [STAGE_CHECK] = "check",
        [STAGE_PROBE] = "probe",     [STAGE_SEAL] = "seal",       [STAGE_REPAIR] = "repair",
        [STAGE_SCRIPTS] = "scripts", [STAGE_PUBLISH] = "publish", [STAGE_COMMIT] = "commit",
};

int64_t statistics_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t note(struct timing *timing, int64_t began_ns)
{
	int64_t now_ns = statistics_now_ns();

	atomic_fetch_add_explicit(&timing->sum_ns, (uint64_t)(now_ns - began_ns), memory_order_relaxed);
	atomic_fetch_add_explicit(&timing->count, 1, memory_order_relaxed);
	return now_ns;
}

int64_t statistics_stage(struct statistics *statistics, enum statistics_stage stage, int64_t began_ns)
{
	return statistics ? note(&statistics->stages[stage], began_ns) : began_ns;
}

static struct step_timing *step_timing_new(const char *name)
{
	struct step_timing *timing = calloc(1, sizeof(*timing) + strlen(name) + 1);

	if (timing)
		memcpy(timing->name, name, strlen(name) + 1);
	return timing;
}

/* The step of that name, made if it is new. */
static struct step_timing *find_step(struct statistics *statistics, const char *name)
{
	struct step_timing *_Atomic *link = &statistics->steps;
	struct step_timing *at;

	while ((at = atomic_load_explicit(link, memory_order_relaxed)) && strcmp(at->name, name) != 0)
		link = &at->next;
	if (at)
		return at;
	at = step_timing_new(name);
	atomic_store_explicit(link, at, memory_order_release);
	return at;
}

int64_t statistics_step(struct statistics *statistics, const char *name, int64_t began_ns)
{
	struct step_timing *step = statistics ? find_step(statistics, name) : NULL;

	return step ? note(&step->timing, began_ns) : statistics_now_ns();
}

static void read_timing(const struct timing *timing, struct rtreg_timing *ret)
{
	ret->count = atomic_load_explicit(&timing->count, memory_order_relaxed);
	ret->sum_ns = atomic_load_explicit(&timing->sum_ns, memory_order_relaxed);
}

size_t statistics_timings(const struct statistics *statistics, struct rtreg_timing *ret, size_t size)
{
	const struct step_timing *step = atomic_load_explicit(&statistics->steps, memory_order_acquire);
	size_t count = 0;

	for (; count < STAGE_COUNT; count++) {
		if (count >= size)
			continue;
		ret[count] = (struct rtreg_timing){.name = stage_names[count], .built_in = true};
		read_timing(&statistics->stages[count], &ret[count]);
	}
	for (; step; step = atomic_load_explicit(&step->next, memory_order_acquire), count++) {
		if (count >= size)
			continue;
		ret[count] = (struct rtreg_timing){.name = step->name};
		read_timing(&step->timing, &ret[count]);
	}
	return count;
}

void statistics_fini(struct statistics *statistics)
{
	struct step_timing *next;

	for (struct step_timing *step = statistics->steps; step; step = next) {
		next = step->next;
		free(step);
	}
	statistics->steps = NULL;
}
