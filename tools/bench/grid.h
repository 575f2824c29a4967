/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table as text: aligned for a terminal, or in Markdown, aligned as well. Unlike tools/table.h it aligns numbers at
 * the right, and appends to a text. The first row is the head.
 */
#ifndef RTREG_BENCH_GRID_H
#define RTREG_BENCH_GRID_H

#include "base/text.h"

/* `columns` and `left` are the user's to set; all else begins zeroed. */
struct grid {
	size_t columns;
	unsigned left; /* the bit of a column that is text: aligned at the left */
	char **cells;
	size_t count, capacity;
	bool failed;
};

/* Adds what `cell` holds, row by row, and empties it. Without memory the grid becomes `failed`. */
void grid_take(struct grid *grid, struct text *cell);
void grid_add(struct grid *grid, const char *cell);
/* -ENOMEM if the grid had failed. */
int grid_print(const struct grid *grid, struct text *text, bool markdown);

void grid_finip(struct grid *grid);
#define _cleanup_grid_ _cleanup_(grid_finip)

#endif
