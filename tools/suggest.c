/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "suggest.h"

#include <string.h>

#define LENGTH_MAX 32

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance; both at most LENGTH_MAX bytes. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[LENGTH_MAX + 1][LENGTH_MAX + 1];

	for (size_t i = 0; i <= a_length; i++)
		for (size_t j = 0; j <= b_length; j++) {
			if (i == 0 || j == 0) {
				rows[i][j] = (unsigned)(i + j);
				continue;
			}
			rows[i][j] = least(rows[i - 1][j], rows[i][j - 1]) + 1;
			rows[i][j] = least(rows[i][j], rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	return rows[a_length][b_length];
}

unsigned suggest_score(const char *word, const char *name)
{
	size_t word_length = strlen(word), name_length = strlen(name);
	unsigned far, allowed = (unsigned)(name_length + 1) / 3;

	if (word_length == 0 || word_length > LENGTH_MAX || name_length > LENGTH_MAX)
		return 0;
	far = distance(word, word_length, name, name_length);
	if (far <= allowed && far < name_length)
		return 100 - far;
	return word_length > 1 && strncmp(name, word, word_length) == 0 ? 50 : 0;
}
