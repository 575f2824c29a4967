/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times and durations as people read and write them. */
#ifndef RTREG_TOOLS_MOMENT_H
#define RTREG_TOOLS_MOMENT_H

#include <stdbool.h>
#include <time.h>

#include "base/text.h"

/* Reads RFC 3339, to the nanosecond. */
bool moment_parse(const char *rfc3339, struct timespec *ret_time);
/* `2026-11-22 14:28:01`, in the local time zone; what is no RFC 3339 as it stands. */
void moment_append(struct text *text, const char *rfc3339);
/* The same for seconds since 1970. */
void moment_append_seconds(struct text *text, time_t when);
/* Whole seconds from a moment to now, negative for a later one. False: it is no RFC 3339. */
bool moment_age(const char *rfc3339, int64_t *ret_seconds);
/* ` (5 minutes ago)` up to now, ` (in 5 minutes)` for a later moment, nothing for what is no RFC 3339. */
void moment_append_distance(struct text *text, const char *rfc3339);
/* The two largest units: `2 days 3 hours`, `45 seconds`. */
void moment_append_duration(struct text *text, uint64_t seconds);
/*
 * Makes what a person typed into what rtregd understands. `10m` and `1h30m` are so long before now; a date,
 * or a date and time, without a zone is local; seconds since 1970 and RFC 3339 stay as they are. False: it is
 * none of these.
 */
bool moment_append_typed(struct text *text, const char *typed);

#endif
