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
	EXIT_NOT_FOUND = 4, /* no such thing: an unknown runtime or container */
};

#define COMMAND_OPTIONS_MAX 8
#define DEFAULT_SOCKET      "/run/rtreg/rtreg.sock"

/* The options that every command has. */
struct ctl {
	const char *socket;
	int64_t timeout_ms;
	bool json;
};

/* One option of a command as it was given; `option` is its place in the command's table. */
struct given_option {
	int option;
	const char *value;
};

/* The words behind the command, as many as its table entry allows, and its own options. */
struct arguments {
	int count;
	char **words;
	/* by the option's place: NULL if not given, "" for one without a value, the last one of several */
	const char *options[COMMAND_OPTIONS_MAX];
	/* all that were given, in their order: for those that may be repeated */
	struct given_option *given;
	size_t given_count;
};

/* The next value of an option that may be repeated, NULL behind the last; *at is 0 for the first. */
const char *arguments_next(const struct arguments *arguments, int option, size_t *at);
/*
 * For values of the form K=V: whether one with this K, of `length` bytes, stands before the one that
 * arguments_next() has returned with `at`.
 */
bool arguments_have_key(const struct arguments *arguments, int option, const char *key, size_t length,
                        size_t at);

typedef int (*command_fn)(const struct ctl *ctl, const struct arguments *arguments);

/* The options of single commands, by their places in commands.c's tables. */
enum config_option { CONFIG_ORIGIN };
enum reload_option { RELOAD_DRY_RUN, RELOAD_FORCE, RELOAD_IF_GENERATION, RELOAD_CONFIRM };
enum watch_option { WATCH };
enum runtime_option { RUNTIME_IF_GENERATION, RUNTIME_PATH, RUNTIME_ARG, RUNTIME_TYPE, RUNTIME_OPTION };
enum set_default_option { SET_DEFAULT_IF_GENERATION };
enum events_option { EVENTS_SINCE, EVENTS_UNTIL, EVENTS_FOLLOW, EVENTS_FILTER };
enum lock_option { LOCK_RUNTIME, LOCK_ROOT };
enum unlock_option { UNLOCK_ROOT };
enum locks_option { LOCKS_ROOT };

int cmd_ls(const struct ctl *ctl, const struct arguments *arguments);
int cmd_resolve(const struct ctl *ctl, const struct arguments *arguments);
int cmd_config(const struct ctl *ctl, const struct arguments *arguments);
int cmd_status(const struct ctl *ctl, const struct arguments *arguments);
int cmd_reload(const struct ctl *ctl, const struct arguments *arguments);
int cmd_confirm(const struct ctl *ctl, const struct arguments *arguments);
int cmd_diff(const struct ctl *ctl, const struct arguments *arguments);
int cmd_validate(const struct ctl *ctl, const struct arguments *arguments);
int cmd_runtime_add(const struct ctl *ctl, const struct arguments *arguments);
int cmd_runtime_rm(const struct ctl *ctl, const struct arguments *arguments);
int cmd_set_default(const struct ctl *ctl, const struct arguments *arguments);
int cmd_history(const struct ctl *ctl, const struct arguments *arguments);
int cmd_events(const struct ctl *ctl, const struct arguments *arguments);
int cmd_lock(const struct ctl *ctl, const struct arguments *arguments);
int cmd_unlock(const struct ctl *ctl, const struct arguments *arguments);
int cmd_locks(const struct ctl *ctl, const struct arguments *arguments);
int cmd_metrics(const struct ctl *ctl, const struct arguments *arguments);
int cmd_completion(const struct ctl *ctl, const struct arguments *arguments);
int cmd_help(const struct ctl *ctl, const struct arguments *arguments);
int cmd_version(const struct ctl *ctl, const struct arguments *arguments);

#endif
