/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes the text format of Prometheus, version 0.0.4: a head for each metric, then its samples. Numbers are written
 * from integers, seconds from nanoseconds, so that nothing is rounded.
 */
#ifndef RTREGD_EXPOSITION_H
#define RTREGD_EXPOSITION_H

#include "base/text.h"
#include "rtreg/rtreg.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4"

struct exposition {
	struct text *text;
	const char *name; /* of the metric whose samples are being written */
};

/* A list of labels ends with one without a name; NULL is the empty list. Values may be any bytes but NUL. */
struct label {
	const char *name, *value;
};

/* `type`: counter, gauge, histogram, summary. `help` may be any text. */
void exposition_begin(struct exposition *out, const char *name, const char *type, const char *help);
void exposition_number(struct exposition *out, const struct label *labels, uint64_t value);
void exposition_seconds(struct exposition *out, const struct label *labels, uint64_t value_ns);
void exposition_histogram(struct exposition *out, const struct label *labels,
                          const struct rtreg_histogram *histogram);
/* A summary without quantiles. */
void exposition_summary(struct exposition *out, const struct label *labels, uint64_t count, uint64_t sum_ns);

#endif
