/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Points in time: nanoseconds since 1970, as text (RFC 3339, UTC), and what since= and until= accept. */
#ifndef RTREGD_TIMESTAMP_H
#define RTREGD_TIMESTAMP_H

#include <stdint.h>

#define TIMESTAMP_TEXT_SIZE 40
#define NS_PER_S            INT64_C(1000000000)
#define NS_PER_MS           INT64_C(1000000)

int64_t timestamp_now_ns(void);
/* Of the clock that never jumps; for deadlines. */
int64_t monotonic_now_ms(void);
/* The same some milliseconds late, at a fifth of the price; for deadlines that are set with each request. */
int64_t monotonic_about_ms(void);
/* "2026-01-31T12:00:00.123456789Z" with `digits` (0..9) of the fraction; returns `buffer`. */
const char *timestamp_format(int64_t time_ns, int digits, char buffer[TIMESTAMP_TEXT_SIZE]);
/* Unix seconds, fractions allowed, or RFC 3339. -EINVAL for anything else. */
int timestamp_parse(const char *text, int64_t *ret_ns);

#endif
