/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtreg-bench from its arguments to its exit code; and the tables that its help and its manual page are made of. */
#ifndef RTREG_BENCH_COMMAND_LINE_H
#define RTREG_BENCH_COMMAND_LINE_H

#include "bench/bench.h"

/* What getopt returns: the letter, where there is one. */
enum bench_option_id {
	OPTION_HELP = 'h',
	OPTION_JSON = 256,
	OPTION_MARKDOWN,
	OPTION_ROUNDS,
	OPTION_SECONDS,
	OPTION_SHORT,
	OPTION_BATCHES,
	OPTION_READERS,
	OPTION_RUNTIMES,
	OPTION_CASE,
	OPTION_PLOT,
	OPTION_CHECK,
	OPTION_VERSION,
};

struct bench_option {
	enum bench_option_id id;
	const char *name, *value; /* `value` NULL: it has none */
	const char *help;
};

extern const struct bench_option bench_options[];
extern const size_t bench_option_count;

/* The letter of an option, '\0' if it has none. */
static inline char bench_letter(const struct bench_option *option)
{
	return option->id < OPTION_JSON ? (char)option->id : '\0';
}

int bench_main(int argc, char **argv);

#endif
