/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/grid.h"

#include <errno.h>
#include <string.h>

/* What a terminal shows of it: every byte but those that continue a character. */
static size_t width_of(const char *string)
{
	size_t width = 0;

	for (; *string; string++)
		width += ((unsigned char)*string & 0xc0) != 0x80;
	return width;
}

void grid_take(struct grid *grid, struct text *cell)
{
	const size_t capacity = grid->capacity ? grid->capacity * 2 : 64;
	char **cells;

	if (!cell->data)
		text_append(cell, "");
	if (grid->count == grid->capacity) {
		cells = reallocarray(grid->cells, capacity, sizeof(*cells));
		if (!cells) {
			grid->failed = true;
			return;
		}
		grid->cells = cells;
		grid->capacity = capacity;
	}
	grid->cells[grid->count] = text_steal(cell);
	if (grid->cells[grid->count])
		grid->count++;
	else
		grid->failed = true;
}

void grid_add(struct grid *grid, const char *cell)
{
	_cleanup_text_ struct text text = {0};

	text_append(&text, cell);
	grid_take(grid, &text);
}

static size_t column_width(const struct grid *grid, size_t column)
{
	size_t width = 3; /* of the line below a head in Markdown */

	for (size_t i = column; i < grid->count; i += grid->columns) {
		const size_t cell = width_of(grid->cells[i]);

		width = cell > width ? cell : width;
	}
	return width;
}

static void print_cell(struct text *text, const char *cell, size_t width, bool left)
{
	const int gap = (int)(width - width_of(cell));

	if (left)
		text_printf(text, "%s%*s", cell, gap, "");
	else
		text_printf(text, "%*s%s", gap, "", cell);
}

static void print_row(const struct grid *grid, size_t row, struct text *text, bool markdown)
{
	for (size_t column = 0; column < grid->columns; column++) {
		const char *cell = grid->cells[row * grid->columns + column];
		const bool left = grid->left & 1u << column;

		text_append(text, markdown ? "| " : column > 0 ? "  " : "");
		print_cell(text, cell, column_width(grid, column), left);
		text_append(text, markdown ? " " : "");
	}
	while (!markdown && text->length > 0 && text->data[text->length - 1] == ' ')
		text->data[--text->length] = '\0';
	text_append(text, markdown ? "|\n" : "\n");
}

static void print_rule(const struct grid *grid, struct text *text)
{
	for (size_t column = 0; column < grid->columns; column++) {
		const bool left = grid->left & 1u << column;

		text_append(text, "| ");
		for (size_t i = column_width(grid, column) - 1; i > 0; i--)
			text_append_char(text, '-');
		text_append(text, left ? "- " : ": ");
	}
	text_append(text, "|\n");
}

int grid_print(const struct grid *grid, struct text *text, bool markdown)
{
	if (grid->failed)
		return -ENOMEM;
	for (size_t row = 0; row < grid->count / grid->columns; row++) {
		print_row(grid, row, text, markdown);
		if (row == 0 && markdown)
			print_rule(grid, text);
	}
	return 0;
}

void grid_finip(struct grid *grid)
{
	for (size_t i = 0; i < grid->count; i++)
		free(grid->cells[i]);
	free(grid->cells);
}
