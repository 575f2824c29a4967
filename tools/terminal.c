/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

static struct {
	bool can_redraw, has_colours;
} terminal;

void terminal_init(void)
{
	const char *type = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	terminal.can_redraw = isatty(STDOUT_FILENO) && !(type && strcmp(type, "dumb") == 0);
	terminal.has_colours = terminal.can_redraw && !(no_colour && *no_colour);
}

bool terminal_can_redraw(void)
{
	return terminal.can_redraw;
}

void terminal_size(size_t *ret_columns, size_t *ret_lines)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){0};
	*ret_columns = size.ws_col > 0 ? size.ws_col : 80;
	*ret_lines = size.ws_row > 0 ? size.ws_row : 24;
}

const char *terminal_begin(enum style style)
{
	static const char *const codes[] = {
	        [STYLE_PLAIN] = "",      [STYLE_GOOD] = "\033[32m",  [STYLE_BAD] = "\033[31m",
	        [STYLE_DIM] = "\033[2m", [STYLE_STRONG] = "\033[1m",
	};

	return terminal.has_colours ? codes[style] : "";
}

const char *terminal_end(enum style style)
{
	return terminal.has_colours && style != STYLE_PLAIN ? "\033[0m" : "";
}

enum style terminal_style_of_result(const char *result)
{
	static const struct {
		const char *result;
		enum style style;
	} styles[] = {{"ok", STYLE_GOOD}, {"failed", STYLE_BAD}, {"unchanged", STYLE_DIM}};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
		if (strcmp(result, styles[i].result) == 0)
			return styles[i].style;
	return STYLE_PLAIN;
}
