/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last 64 reloads, the start included, dry runs not. Any thread. */
#ifndef RTREGD_HISTORY_H
#define RTREGD_HISTORY_H

#include <stdint.h>

#include "base/text.h"

#define HISTORY_KEPT 64

struct history;

/* NULL without memory. */
struct history *history_new(void);
void history_free(struct history *history);

/*
 * Adds an entry: `source` and `result` are string literals; `errors_json` and `changed_json` are JSON arrays,
 * NULL is [].
 */
void history_add(struct history *history, uint64_t generation, const char *source, const char *result,
                 const char *errors_json, const char *changed_json);
/* Appends a JSON array, newest first. */
void history_append(struct history *history, struct text *text);
/* Appends {"time","result","errors"} of the newest, or null. */
void history_append_newest(struct history *history, struct text *text);

#endif
