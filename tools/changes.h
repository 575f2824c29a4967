/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes the configuration: how it is asked for, and the report of it for people. */
#ifndef RTREG_TOOLS_CHANGES_H
#define RTREG_TOOLS_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "call.h"

struct changes_view {
	bool dry_run;
	bool from_body;     /* the configuration came with the request */
	uint64_t confirm_s; /* it is on trial for so long; 0: it is not */
};

/* Whether `string` is a whole number. */
bool changes_is_number(const char *string);
/* Whether --if-generation has a number, or was not given; else that is said. */
bool changes_check_generation(const char *if_generation);
/*
 * Makes a request whose reply is a reload's, and shows it. `if_generation` is a number; NULL: whatever is live.
 */
int changes_make(const struct ctl *ctl, const struct http_request *request, const char *if_generation,
                 const struct changes_view *view);

/*
 * Whether the index-th of `changes` (keys, or objects with a "key") is the entry `runtimes` that only sums up
 * entries `runtimes.NAME` beside it.
 */
bool changes_is_summary(struct json_object *changes, size_t index);

#endif
