/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last 64 reloads, the start included, dry runs not. Any thread. */
#ifndef RTREGD_HISTORY_H
#define RTREGD_HISTORY_H

#include <stdint.h>

#include "base/text.h"

#define HISTORY_KEPT 64

/* Where reloads come from, and what becomes of them, in the words of the API. */
enum { HISTORY_START, HISTORY_SOURCES = 7, HISTORY_RESULTS = 3 };
extern const char *const history_sources[HISTORY_SOURCES], *const history_results[HISTORY_RESULTS];

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
/* How many were ever added, and what the newest says; read at one moment. All zero before the first. */
struct history_totals {
	uint64_t counts[HISTORY_SOURCES][HISTORY_RESULTS];
	uint64_t generation;
	int64_t time_ns;
	bool failed;
};
void history_totals(struct history *history, struct history_totals *ret);
/* Appends a JSON array, newest first. */
void history_append(struct history *history, struct text *text);
/* Appends {"time","result","errors"} of the newest, or null. */
void history_append_newest(struct history *history, struct text *text);
/* If the newest failed, appends a JSON string: `prefix` and the first of its errors. Else nothing. */
void history_append_failure(struct history *history, const char *prefix, struct text *text);

#endif
