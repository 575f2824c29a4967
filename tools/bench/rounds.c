/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cases of a run, and its rounds: every case once in each, in an order that changes. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench/bench.h"

#define SLICE_MIN_NS 200000 /* less would measure the beginning of threads */

void bench_name(char ret[static BENCH_NAME_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret, BENCH_NAME_SIZE, format, args);
	va_end(args);
}

int bench_fail(struct rtreg_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return error->code = code;
}

const struct bench_result *bench_find(const struct bench *bench, const char *name)
{
	for (size_t i = 0; i < bench->count; i++)
		if (strcmp(bench->results[i].subject.name, name) == 0)
			return &bench->results[i];
	return NULL;
}

int bench_add(struct bench *bench, const struct bench_case *bench_case)
{
	const size_t capacity = bench->capacity ? bench->capacity * 2 : 32;
	struct bench_result *results;

	if (bench_find(bench, bench_case->name))
		return -EEXIST;
	if (bench->count == bench->capacity) {
		results = reallocarray(bench->results, capacity, sizeof(*results));
		if (!results)
			return -ENOMEM;
		bench->results = results;
		bench->capacity = capacity;
	}
	bench->results[bench->count++] = (struct bench_result){.subject = *bench_case};
	return 0;
}

void bench_fini(struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++)
		free(bench->results[i].figures);
	free(bench->results);
	bench->results = NULL;
	bench->count = bench->capacity = 0;
}

/* Whether a case is asked for, alone by its whole name; or is the reference of one that is. */
static bool is_chosen(const struct bench *bench, const struct bench_case *bench_case)
{
	if (bench_find(bench, bench->case_match))
		return strcmp(bench_case->name, bench->case_match) == 0;
	if (strstr(bench_case->name, bench->case_match))
		return true;
	for (size_t i = 0; i < bench->count; i++) {
		const struct bench_case *other = &bench->results[i].subject;

		if (strcmp(other->reference, bench_case->name) == 0 && strstr(other->name, bench->case_match))
			return true;
	}
	return false;
}

void bench_choose(struct bench *bench)
{
	size_t kept = 0;

	if (!bench->case_match)
		return;
	/* all are looked at before the first goes: a reference may stand behind the case that names it */
	for (size_t i = 0; i < bench->count; i++)
		if (!is_chosen(bench, &bench->results[i].subject))
			bench->results[i].subject.measure = NULL;
	for (size_t i = 0; i < bench->count; i++)
		if (bench->results[i].subject.measure)
			bench->results[kept++] = bench->results[i];
	bench->count = kept;
}

/* The same order in every run of the same cases: what differs between two runs is the machine. */
static void shuffle(size_t *order, size_t count, uint64_t *state)
{
	for (size_t i = count; i > 1; i--) {
		size_t j, swapped = order[i - 1];

		*state = *state * 6364136223846793005u + 1442695040888963407u;
		j = (size_t)((*state >> 33) % i);
		order[i - 1] = order[j];
		order[j] = swapped;
	}
}

static int measure_round(struct bench *bench, size_t round, const size_t *order)
{
	for (size_t i = 0; i < bench->count; i++) {
		struct bench_result *result = &bench->results[order[i]];
		int r = result->subject.measure(bench, &result->subject, &result->figures[round]);

		if (r < 0) {
			bench_say("cannot measure %s: %s", result->subject.name, strerror(-r));
			return r;
		}
	}
	return 0;
}

static int make_room(struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++) {
		bench->results[i].figures = calloc(bench->rounds, sizeof(double));
		if (!bench->results[i].figures)
			return -ENOMEM;
	}
	return 0;
}

int bench_run(struct bench *bench)
{
	_cleanup_free_ size_t *order = calloc(bench->count + 1, sizeof(*order));
	uint64_t state = 1;
	int r = order ? make_room(bench) : -ENOMEM;

	if (r < 0 || bench->count == 0)
		return r;
	for (size_t i = 0; i < bench->count; i++)
		order[i] = i;
	bench->slice_ns = (int64_t)(bench->seconds * 1e9 / (double)(bench->rounds * bench->count));
	if (bench->slice_ns < SLICE_MIN_NS)
		bench->slice_ns = SLICE_MIN_NS;
	for (size_t round = 0; round < bench->rounds && r == 0; round++) {
		shuffle(order, bench->count, &state);
		r = measure_round(bench, round, order);
	}
	return r;
}
