/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exposition.h"

#include <inttypes.h>
#include <stdio.h>

#define SECONDS_SIZE 32

static void append_escaped(struct text *text, const char *string, bool in_quotes)
{
	for (; *string; string++) {
		if (*string == '\\')
			text_append(text, "\\\\");
		else if (*string == '\n')
			text_append(text, "\\n");
		else if (*string == '"' && in_quotes)
			text_append(text, "\\\"");
		else
			text_append_char(text, *string);
	}
}

void exposition_begin(struct exposition *out, const char *name, const char *type, const char *help)
{
	out->name = name;
	text_printf(out->text, "# HELP %s ", name);
	append_escaped(out->text, help, false);
	text_printf(out->text, "\n# TYPE %s %s\n", name, type);
}

static void append_label(struct text *text, const char *name, const char *value, bool *any)
{
	text_printf(text, "%s%s=\"", *any ? "," : "{", name);
	append_escaped(text, value, true);
	text_append_char(text, '"');
	*any = true;
}

/* `le` NULL: none. */
static void append_sample(struct exposition *out, const char *suffix, const struct label *labels,
                          const char *le, const char *value)
{
	bool any = false;

	text_printf(out->text, "%s%s", out->name, suffix);
	for (; labels && labels->name; labels++)
		append_label(out->text, labels->name, labels->value, &any);
	if (le)
		append_label(out->text, "le", le, &any);
	text_printf(out->text, "%s %s\n", any ? "}" : "", value);
}

static void append_count(struct exposition *out, const char *suffix, const struct label *labels,
                         const char *le, uint64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, value);
	append_sample(out, suffix, labels, le, number);
}

static const char *format_seconds(uint64_t ns, char buffer[SECONDS_SIZE])
{
	snprintf(buffer, SECONDS_SIZE, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
	return buffer;
}

void exposition_number(struct exposition *out, const struct label *labels, uint64_t value)
{
	append_count(out, "", labels, NULL, value);
}

void exposition_seconds(struct exposition *out, const struct label *labels, uint64_t value_ns)
{
	char seconds[SECONDS_SIZE];

	append_sample(out, "", labels, NULL, format_seconds(value_ns, seconds));
}

void exposition_summary(struct exposition *out, const struct label *labels, uint64_t count, uint64_t sum_ns)
{
	char seconds[SECONDS_SIZE];

	append_sample(out, "_sum", labels, NULL, format_seconds(sum_ns, seconds));
	append_count(out, "_count", labels, NULL, count);
}

/* A bound without the zeros at its end: some compare it as text. */
static const char *format_bound(uint64_t ns, char buffer[SECONDS_SIZE])
{
	snprintf(buffer, SECONDS_SIZE, "%.9g", (double)ns / 1e9);
	return buffer;
}

void exposition_histogram(struct exposition *out, const struct label *labels,
                          const struct rtreg_histogram *histogram)
{
	char bound[SECONDS_SIZE];
	uint64_t below = 0;

	for (size_t i = 0; i < RTREG_HISTOGRAM_BUCKETS; i++) {
		const struct rtreg_bucket *bucket = &histogram->buckets[i];

		below += bucket->count;
		append_count(out, "_bucket", labels,
		             bucket->upper_ns == UINT64_MAX ? "+Inf" : format_bound(bucket->upper_ns, bound),
		             below);
	}
	exposition_summary(out, labels, histogram->count, histogram->sum_ns);
}
