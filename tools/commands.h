/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of rtregctl's commands. The help, the options of each command, the check of its arguments, and the
 * suggestion for a mistyped one are made from it.
 */
#ifndef RTREG_TOOLS_COMMANDS_H
#define RTREG_TOOLS_COMMANDS_H

#include "command.h"

struct command_option {
	const char *name, *value; /* `value` NULL: it has none */
	const char *help;
};

struct command {
	const char *name, *arguments, *help;
	int words_min, words_max;
	command_fn run;
	const struct command_option *options; /* ended by a NULL name */
};

extern const struct command commands[];
extern const size_t command_count;

#endif
