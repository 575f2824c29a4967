/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's log: stderr, one line an entry, as text (`time level message key=value…`) or JSON. Any thread;
 * an entry is one write(2), so that lines of different threads never mix.
 */
#ifndef RTREGD_LOG_H
#define RTREGD_LOG_H

#include <stdbool.h>

#include "rtreg/rtreg.h"

/*
 * Up to 8 pairs of key and value follow, both strings, ended by NULL; a pair whose value is NULL is left out.
 */
void log_entry(enum rtreg_log_level level, const char *message, ...) __attribute__((sentinel));
#define log_error(...) log_entry(RTREG_LOG_ERROR, __VA_ARGS__, NULL)
#define log_warn(...)  log_entry(RTREG_LOG_WARN, __VA_ARGS__, NULL)
#define log_info(...)  log_entry(RTREG_LOG_INFO, __VA_ARGS__, NULL)
#define log_debug(...) log_entry(RTREG_LOG_DEBUG, __VA_ARGS__, NULL)

/* Whether an entry of that level would be written. */
bool log_enabled(enum rtreg_log_level level);

/* The library's callback (struct rtreg_options). */
void log_from_library(void *context, enum rtreg_log_level level, const char *message);

/*
 * A step that makes log-level, log-format and debug of the new configuration the log's own once it is live.
 * Its context is not used.
 */
int log_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error);

#endif
