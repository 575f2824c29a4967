/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stdout shows on a terminal beyond text: colours, and its size. There are colours only on a terminal,
 * never with NO_COLOR or TERM=dumb; without them all styles are empty, so that whoever prints need not ask.
 */
#ifndef RTREG_TOOLS_TERMINAL_H
#define RTREG_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_DIM, STYLE_STRONG };

/* To be called once, before anything else here. */
void terminal_init(void);
/* Whether stdout is a terminal on which the cursor can be moved. */
bool terminal_can_redraw(void);
/* The size of stdout's terminal; 80 columns and 24 lines if it does not tell. */
void terminal_size(size_t *ret_columns, size_t *ret_lines);
/* The codes around text of a style. */
const char *terminal_begin(enum style style);
const char *terminal_end(enum style style);
/* The style for the result of a reload: `ok`, `unchanged`, `failed`. */
enum style terminal_style_of_result(const char *result);

#endif
