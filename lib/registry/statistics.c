/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a registry tells of itself: base/statistics.h counts, here it is read. */
#include <string.h>

#include "registry/registry.h"

/* The public members that are counters. */
static const struct {
	enum statistics_counter counter;
	size_t offset;
} counters[] = {
        {COUNT_FREED, offsetof(struct rtreg_statistics, freed)},
        {COUNT_ROOM_WAITS, offsetof(struct rtreg_statistics, room_waits)},
        {COUNT_PROBES_ANSWERED, offsetof(struct rtreg_statistics, probes_answered)},
        {COUNT_PROBES_FAILED, offsetof(struct rtreg_statistics, probes_failed)},
        {COUNT_PROBES_REMEMBERED, offsetof(struct rtreg_statistics, probes_remembered)},
        {COUNT_SCRIPTS_WRITTEN, offsetof(struct rtreg_statistics, scripts_written)},
        {COUNT_SCRIPTS_REPAIRED, offsetof(struct rtreg_statistics, scripts_repaired)},
        {COUNT_LOCK_INS_MADE, offsetof(struct rtreg_statistics, lock_ins_made)},
        {COUNT_LOCK_INS_REMOVED, offsetof(struct rtreg_statistics, lock_ins_removed)},
};
_Static_assert(ARRAY_SIZE(counters) == COUNTER_COUNT, "each counter has a member");

void rtreg_statistics(struct rtreg *registry, struct rtreg_statistics *ret, size_t size)
{
	struct rtreg_statistics all = {0};

	histogram_read(&registry->statistics.grace_periods, &all.grace_periods);
	store_statistics(&registry->store, &all);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		*(uint64_t *)(void *)((char *)&all + counters[i].offset) =
		        statistics_counted(&registry->statistics, counters[i].counter);
	memset(ret, 0, size);
	memcpy(ret, &all, size < sizeof(all) ? size : sizeof(all));
}

size_t rtreg_timings(struct rtreg *registry, struct rtreg_timing *ret, size_t size)
{
	return statistics_timings(&registry->statistics, ret, size);
}
