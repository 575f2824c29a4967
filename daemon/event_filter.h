/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The argument `filters` of a request for events, in the form of the Docker Engine API. */
#ifndef RTREGD_EVENT_FILTER_H
#define RTREGD_EVENT_FILTER_H

#include "events.h"
#include "rtreg/rtreg.h"

struct event_filter;

/*
 * Reads {"type":["daemon"],"label":["a=b"]}, or the older {"type":{"daemon":true}}. Nothing, null and {} let everything
 * pass. -EINVAL with "invalid filter 'x'", x being the unknown name, or the whole where it is no such JSON;
 * -ENOMEM.
 */
int event_filter_new(const char *json, struct event_filter **ret, struct rtreg_error *error);
/* NULL is allowed. */
void event_filter_free(struct event_filter *filter);

/* NULL lets everything pass. */
bool event_filter_passes(const struct event_filter *filter, const struct event *event);

#endif
