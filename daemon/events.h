/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last 1,024 events, but no more than 16 MiB of them: one can hold as many labels as a configuration. Each is a JSON
 * object in the shape of the Docker Engine API. Any thread.
 */
#ifndef RTREGD_EVENTS_H
#define RTREGD_EVENTS_H

#include <stdint.h>

#include "base/text.h"

#define EVENTS_KEPT 1024

struct events;
struct metrics;

/* NULL without memory. `metrics` outlive it. */
struct events *events_new(struct metrics *metrics);
void events_free(struct events *events);

/*
 * Adds an event of type daemon. `attributes_json` is an object of strings. Without memory the event is lost,
 * and the log says so.
 */
void events_add(struct events *events, const char *action, const char *actor_id, const char *attributes_json);
/* Appends those with since <= time <= until, oldest first, one a line. */
void events_append(struct events *events, int64_t since_ns, int64_t until_ns, struct text *text);

#endif
