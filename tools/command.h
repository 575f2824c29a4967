/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What command_line.c and the commands share. The table of commands is in commands.c; each command is one function that
 * prints its result on stdout, what went wrong on stderr, and returns the exit code.
 */
#ifndef RTREG_TOOLS_COMMAND_H
#define RTREG_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,   /* the daemon said no, or the input is bad */
	EXIT_USAGE = 2,     /* the command line is wrong */
	EXIT_NO_DAEMON = 3, /* nothing to talk to, no permission, no answer in time */
	EXIT_NOT_FOUND = 4, /* no such runtime */
};

#define COMMAND_OPTIONS_MAX 8
#define DEFAULT_SOCKET      "/run/rtreg/rtreg.sock"

/* The options that every command has. */
struct ctl {
	const char *socket;
	int64_t timeout_ms;
	bool json;
};

/* The words behind the command, as many as its table entry allows, and its own options. */
struct arguments {
	int count;
	char **words;
	/* by the option's place in the command's table: NULL if not given, "" for one without a value */
	const char *options[COMMAND_OPTIONS_MAX];
};

typedef int (*command_fn)(const struct ctl *ctl, const struct arguments *arguments);

/* The options of single commands, by their places in commands.c's tables. */
enum config_option { CONFIG_ORIGIN };
enum reload_option { RELOAD_DRY_RUN, RELOAD_FORCE, RELOAD_IF_GENERATION };

int cmd_ls(const struct ctl *ctl, const struct arguments *arguments);
int cmd_resolve(const struct ctl *ctl, const struct arguments *arguments);
int cmd_config(const struct ctl *ctl, const struct arguments *arguments);
int cmd_status(const struct ctl *ctl, const struct arguments *arguments);
int cmd_reload(const struct ctl *ctl, const struct arguments *arguments);
int cmd_diff(const struct ctl *ctl, const struct arguments *arguments);
int cmd_validate(const struct ctl *ctl, const struct arguments *arguments);
int cmd_history(const struct ctl *ctl, const struct arguments *arguments);
int cmd_completion(const struct ctl *ctl, const struct arguments *arguments);
int cmd_help(const struct ctl *ctl, const struct arguments *arguments);
int cmd_version(const struct ctl *ctl, const struct arguments *arguments);

#endif
