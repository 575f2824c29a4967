/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables whose columns are aligned by what a terminal shows, with all cells made safe (display.h), colours or
 * not. Cells are added one after the other, row by row; the heads are simply the first row.
 */
#ifndef RTREG_TOOLS_TABLE_H
#define RTREG_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "terminal.h"

#define TABLE_COLUMNS_MAX 8

/* The first `styled` bytes of `text` have the style. */
struct cell {
	char *text;
	enum style style;
	size_t styled;
};

/* `columns` (1 to TABLE_COLUMNS_MAX) and `indent` are the user's to set; all else begins zeroed. */
struct table {
	size_t columns;
	size_t indent;
	struct cell *cells;
	size_t count, capacity;
	size_t widths[TABLE_COLUMNS_MAX];
	bool failed;
};

void table_fini(struct table *table);
/* Copies `cell`; NULL is an empty one. Without memory the table becomes `failed`. */
void table_add(struct table *table, const char *cell);
/* One cell of two parts, of which the first is in a style. */
void table_add_styled(struct table *table, enum style style, const char *styled, const char *plain);
/* Adds the cells of `cells` up to a NULL. */
void table_add_all(struct table *table, const char *const *cells);
/* Returns false if the table had failed; nothing is printed then. */
bool table_print(const struct table *table, FILE *stream);

static inline void table_finip(struct table *table)
{
	table_fini(table);
}
#define _cleanup_table_ _cleanup_(table_finip)

#endif
