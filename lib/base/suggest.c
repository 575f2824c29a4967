/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Nothing that is known has a longer name, and it bounds the work for hostile input. */
#define MAX_LENGTH    64
#define MAX_ERRORS    3
#define MIN_BEGINNING 3 /* letters that must stand to be taken for the beginning of a word */

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* ASCII alone, whatever the locale. */
static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

/* The optimal string alignment distance; the rows are those of a[0 .. i-2], a[0 .. i-1] and a[0 .. i]. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][MAX_LENGTH + 1];

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3], *above_that = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t substitution = above[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));

			row[j] = min(substitution, min(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = min(row[j], above_that[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

/* How far `candidate` is from `name`; SIZE_MAX: it is another word. */
static size_t distance_to(const char *name, const char *candidate)
{
	size_t length = strnlen(name, MAX_LENGTH + 1), other = strnlen(candidate, MAX_LENGTH + 1), distance;
	/* About every third letter may be wrong: more of them, and it is another word. */
	size_t limit = min((length + 1) / 3, MAX_ERRORS);

	if (length > MAX_LENGTH || other > MAX_LENGTH || length > other + limit)
		return SIZE_MAX;
	if (length >= MIN_BEGINNING && strncasecmp(candidate, name, length) == 0)
		return min(other - length, limit);
	if (other > length + limit)
		return SIZE_MAX;
	distance = edit_distance(name, length, candidate, other);
	return distance <= limit ? distance : SIZE_MAX;
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
	size_t distance = candidate ? distance_to(suggestion->name, candidate) : SIZE_MAX;

	if (distance == SIZE_MAX || (suggestion->nearest && distance >= suggestion->distance))
		return;
	suggestion->nearest = candidate;
	suggestion->distance = distance;
}

const char *suggest_nearest(const char *name, const char *const *candidates, size_t count)
{
	struct suggestion suggestion = {.name = name};

	for (size_t i = 0; i < count; i++)
		suggest_offer(&suggestion, candidates[i]);
	return suggestion.nearest;
}
