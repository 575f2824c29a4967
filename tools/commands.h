/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of rtregctl's commands. The help, the options of each command, the check of its arguments, the
 * suggestion for a mistyped one, completion and the manual page are made from it. `arguments` and the `value`s of
 * options also say what completes them (complete.h).
 */
#ifndef RTREG_TOOLS_COMMANDS_H
#define RTREG_TOOLS_COMMANDS_H

#include "command.h"

struct command_option {
	const char *name, *value; /* `value` NULL: it has none */
	const char *help;
};

struct command {
	const char *name; /* one word, or two: "runtime add" */
	const char *arguments, *help;
	int words_min, words_max;
	command_fn run;
	const struct command_option *options; /* ended by a NULL name */
	const char *
	        notes; /* what its own help adds: lines that fit a terminal, without the last's end; or NULL */
};

extern const struct command commands[];
extern const size_t command_count;

/* What getopt returns for the options that are no command's own: the letter, where there is one. */
enum common_id {
	COMMON_HELP = 'h',
	COMMON_SOCKET = 's',
	COMMON_TIMEOUT = 256,
	COMMON_JSON,
	COMMON_VERSION,
	COMMON_END, /* above all of them */
};

#define COMMON_OPTIONS_MAX 8

struct common_option {
	enum common_id id;
	bool before_only; /* only in front of a command; all others stand behind one too */
	const char *name, *value, *help;
};

extern const struct common_option common_options[];
extern const size_t common_option_count;

/* The letter of an option, '\0' if it has none. */
static inline char common_letter(const struct common_option *option)
{
	return option->id < COMMON_TIMEOUT ? (char)option->id : '\0';
}

#endif
