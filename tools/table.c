/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include <stdlib.h>

#include "display.h"

#define GAP       3   /* columns of space between two cells */
#define WIDTH_MAX 100 /* a single longer cell does not push the others away */

void table_fini(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}

static bool table_reserve(struct table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 64;
	char **cells;

	if (table->failed)
		return false;
	if (table->count < table->capacity)
		return true;
	cells = reallocarray(table->cells, capacity, sizeof(*cells));
	if (!cells) {
		table->failed = true;
		return false;
	}
	table->cells = cells;
	table->capacity = capacity;
	return true;
}

void table_add(struct table *table, const char *cell)
{
	_cleanup_text_ struct text text = {0};
	size_t column = table->count % table->columns, width;
	char *shown;

	if (!table_reserve(table))
		return;
	display_append(&text, cell ? cell : "");
	shown = text_steal(&text);
	if (!shown) {
		table->failed = true;
		return;
	}
	table->cells[table->count++] = shown;
	width = display_width(shown);
	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	if (width > table->widths[column])
		table->widths[column] = width;
}

void table_add_all(struct table *table, const char *const *cells)
{
	for (; *cells; cells++)
		table_add(table, *cells);
}

static void print_row(const struct table *table, char *const *cells, size_t count, FILE *stream)
{
	size_t pending = table->indent;

	/* space is printed only in front of something, so that no line ends in it */
	for (size_t i = 0; i < count; i++) {
		size_t width = display_width(cells[i]);

		if (*cells[i]) {
			fprintf(stream, "%*s%s", (int)pending, "", cells[i]);
			pending = 0;
		}
		pending += GAP + (width < table->widths[i] ? table->widths[i] - width : 0);
	}
	fputc('\n', stream);
}

bool table_print(const struct table *table, FILE *stream)
{
	if (table->failed)
		return false;
	for (size_t i = 0; i < table->count; i += table->columns) {
		size_t left = table->count - i;

		print_row(table, table->cells + i, left < table->columns ? left : table->columns, stream);
	}
	return true;
}
