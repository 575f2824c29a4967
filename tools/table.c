/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include <stdlib.h>

#include "display.h"

#define GAP       3   /* columns of space between two cells */
#define WIDTH_MAX 100 /* a single longer cell does not push the others away */

void table_fini(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct table){0};
}

static bool table_reserve(struct table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 64;
	struct cell *cells;

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
	table_add_styled(table, STYLE_PLAIN, cell ? cell : "", "");
}

void table_add_styled(struct table *table, enum style style, const char *styled, const char *plain)
{
	_cleanup_text_ struct text text = {0};
	size_t column = table->count % table->columns, width;
	struct cell cell = {.style = style};

	if (!table_reserve(table))
		return;
	display_append(&text, styled);
	cell.styled = text.length;
	display_append(&text, plain);
	cell.text = text_steal(&text);
	if (!cell.text) {
		table->failed = true;
		return;
	}
	table->cells[table->count++] = cell;
	width = display_width(cell.text);
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

static void print_cell(const struct cell *cell, FILE *stream)
{
	fputs(terminal_begin(cell->style), stream);
	fwrite(cell->text, 1, cell->styled, stream);
	fputs(terminal_end(cell->style), stream);
	fputs(cell->text + cell->styled, stream);
}

static void print_row(const struct table *table, const struct cell *cells, size_t count, FILE *stream)
{
	size_t pending = table->indent;

	/* space is printed only in front of something, so that no line ends in it */
	for (size_t i = 0; i < count; i++) {
		size_t width = display_width(cells[i].text);

		if (*cells[i].text) {
			fprintf(stream, "%*s", (int)pending, "");
			print_cell(&cells[i], stream);
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
