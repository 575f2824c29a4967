/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a registry counts about itself, where it happens. Counting is one relaxed atomic addition and locks nothing;
 * a number that is read never goes down. Nothing on the readers' path is counted.
 *
 * `statistics` may be NULL everywhere: then nothing is counted.
 */
#ifndef RTREG_BASE_STATISTICS_H
#define RTREG_BASE_STATISTICS_H

#include <stdatomic.h>

#include "rtreg/rtreg.h"

/* The bounds are the same for all: 100 µs to 10 s, and everything above. */
struct histogram {
	_Atomic uint64_t sum_ns;
	_Atomic uint64_t buckets[RTREG_HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t took_ns);
void histogram_read(const struct histogram *histogram, struct rtreg_histogram *ret);

enum statistics_counter {
	COUNT_FREED,
	COUNT_ROOM_WAITS,
	COUNT_PROBES_ANSWERED,
	COUNT_PROBES_FAILED,
	COUNT_PROBES_REMEMBERED,
	COUNT_SCRIPTS_WRITTEN,
	COUNT_SCRIPTS_REPAIRED,
	COUNT_LOCK_INS_MADE,
	COUNT_LOCK_INS_REMOVED,
	COUNTER_COUNT,
};

/* The stations of a reload (docs/reload.md), in order. */
enum statistics_stage {
	STAGE_READ,
	STAGE_MERGE,
	STAGE_CHECK,
	STAGE_PROBE,
	STAGE_SEAL,
	STAGE_REPAIR,
	STAGE_SCRIPTS,
	STAGE_PUBLISH,
	STAGE_COMMIT,
	STAGE_COUNT,
};

struct timing {
	_Atomic uint64_t count, sum_ns;
};

/* One of the engine's steps. Added at the end by the writer, and there until the end. */
struct step_timing {
	struct timing timing;
	struct step_timing *_Atomic next;
	char name[];
};

/* Zeroed is empty. */
struct statistics {
	_Atomic uint64_t counters[COUNTER_COUNT];
	struct timing stages[STAGE_COUNT];
	struct step_timing *_Atomic steps;
	struct histogram grace_periods;
};

void statistics_fini(struct statistics *statistics);

void statistics_count(struct statistics *statistics, enum statistics_counter counter, uint64_t by);
uint64_t statistics_counted(const struct statistics *statistics, enum statistics_counter counter);

/* Of the clock that never jumps. */
int64_t statistics_now_ns(void);
/*
 * Notes that what began at `began_ns` has been done; returns when that was, for what comes next. An engine's
 * step is noted by its name; without memory for a new name it is not. Context of the second: writer.
 */
int64_t statistics_stage(struct statistics *statistics, enum statistics_stage stage, int64_t began_ns);
int64_t statistics_step(struct statistics *statistics, const char *name, int64_t began_ns);
/* Fills up to `size` of `ret`, the stages first; returns how many there are. Context: any thread. */
size_t statistics_timings(const struct statistics *statistics, struct rtreg_timing *ret, size_t size);

#endif
