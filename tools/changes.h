/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report of a reload, for people. */
#ifndef RTREG_TOOLS_CHANGES_H
#define RTREG_TOOLS_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "reply.h"

struct changes_view {
	bool dry_run;
	bool from_body; /* the configuration came with the request */
};

/* Prints the reply of POST /v1/reload; returns the exit code. */
int changes_show(struct json_object *report, const struct changes_view *view);

/*
 * Whether the index-th of `changes` (keys, or objects with a "key") is the entry `runtimes` that only sums up
 * entries `runtimes.NAME` beside it.
 */
bool changes_is_summary(struct json_object *changes, size_t index);

#endif
