/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command lines of OCI runtimes, runc's and crun's put together: which commands there are, where the
 * container stands in each, and which options take a value. rtreg-runtime needs that to find the container; it
 * hands every word on as it came.
 */
#ifndef RTREG_TOOLS_RUNTIME_COMMANDS_H
#define RTREG_TOOLS_RUNTIME_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

/* What an option means to rtreg-runtime itself. */
enum option_meaning {
	MEANS_NOTHING,
	MEANS_ROOT,
	MEANS_LOG,
	MEANS_LOG_FORMAT,
	MEANS_HELP,
	MEANS_VERSION,
	MEANS_BUNDLE,
	MEANS_CONFIG, /* another file in place of the bundle's config.json */
	MEANS_DETACH,
	MEANS_MANY, /* the operand is no container but a pattern */
};

enum option_value {
	VALUE_NONE, /* but `=true` and `=false` */
	VALUE_TAKEN,
	VALUE_BEHIND_EQUALS, /* there alone, and it may be missing */
};

/* A list of them ends with one without names. */
struct oci_option {
	const char *names; /* separated by blanks, those of one letter too */
	enum option_value value;
	enum option_meaning meaning;
	const char *help; /* of those that --help tells of; NULL: the runtime's own affair */
	const char *argument;
};

enum command_kind {
	COMMAND_PLAIN,
	COMMAND_CREATE,
	COMMAND_RUN,
	COMMAND_RESTORE,
	COMMAND_DELETE,
};

#define OPERANDS_ANY 1000

struct oci_command {
	const char *name;
	enum command_kind kind;
	int operands;  /* how many it can have; 0: no container */
	bool in_order; /* what stands behind the container is no option of the command's */
	const struct oci_option *options;
	const char *help; /* what becomes of it */
};

extern const struct oci_option global_options[];
/* Those that every command has. */
extern const struct oci_option every_command[];

extern const struct oci_command oci_commands[];
extern const size_t oci_command_count;
/* What stands for a command that is not in the table. */
extern const struct oci_command unknown_command;

/* NULL: not in the table. */
const struct oci_command *oci_command_find(const char *name);
/* The option called by `length` bytes of `name`, or NULL. */
const struct oci_option *oci_option_find(const struct oci_option *options, const char *name, size_t length);
/* The one option that has a longer name with this beginning, or NULL. */
const struct oci_option *oci_option_find_begun(const struct oci_option *options, const char *name,
                                               size_t length);

/* For people: the length of an option's name, the first of its names; and its letter, '\0' if it has none. */
size_t oci_option_length(const struct oci_option *option);
char oci_option_letter(const struct oci_option *option);

#endif
