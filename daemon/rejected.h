/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last configuration that was refused, kept in mind until a reload succeeds. The files themselves are the
 * library's to keep. Any thread.
 */
#ifndef RTREGD_REJECTED_H
#define RTREGD_REJECTED_H

#include "base/text.h"

struct rejected;

/* `state_dir` is absolute and stays the caller's. NULL without memory. */
struct rejected *rejected_new(const char *state_dir);
void rejected_free(struct rejected *rejected);

/* `source` is a literal, `errors_json` a JSON array. */
void rejected_set(struct rejected *rejected, const char *source, const char *errors_json);
void rejected_clear(struct rejected *rejected);
/* Appends {"time","source","errors","directory"}, or null. */
void rejected_append(struct rejected *rejected, struct text *text);

#endif
