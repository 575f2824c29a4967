/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times and durations as people read them. */
#ifndef RTREG_TOOLS_MOMENT_H
#define RTREG_TOOLS_MOMENT_H

#include <stdbool.h>
#include <time.h>

#include "base/text.h"

/* Reads RFC 3339; a fraction of a second is dropped. */
bool moment_parse(const char *rfc3339, time_t *ret_time);
/* `2026-11-22 14:28:01`, in the local time zone; what is no RFC 3339 as it stands. */
void moment_append(struct text *text, const char *rfc3339);
/* ` (5 minutes ago)` for a moment up to `now`; nothing for a later one, or what is no RFC 3339. */
void moment_append_ago(struct text *text, const char *rfc3339, time_t now);
/* The two largest units: `2 days 3 hours`, `45 seconds`. */
void moment_append_duration(struct text *text, uint64_t seconds);

#endif
