/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command line of an OCI runtime is about. */
#ifndef RTREG_TOOLS_RUNTIME_INVOCATION_H
#define RTREG_TOOLS_RUNTIME_INVOCATION_H

#include "runtime/commands.h"

/* All strings are argv's. */
struct invocation {
	char **argv; /* ends with NULL */
	int argc;
	const char *root; /* as given; NULL or "": none */
	const char *log;  /* as given; NULL or "": none */
	bool log_json;
	bool version, help;                /* asked of rtreg-runtime itself */
	const struct oci_command *command; /* NULL: none was given */
	int command_at;                    /* where it stands in argv */
	bool command_help;                 /* the command is only to be explained */
	const char *container;             /* NULL: none */
	const char *other; /* the container, if an unknown option takes the word behind it; NULL: no doubt */
	const char *bundle, *config; /* NULL: not given */
	bool detach;
};

/* Never fails: what makes no sense is for the runtime to refuse. */
void invocation_read(struct invocation *ret, int argc, char *argv[]);

/*
 * Whether argv[at], before the command, is the option that says where the log is; *ret_joined: its value is in
 * the same word, behind an `=`, else it is the next.
 */
bool invocation_is_log(const struct invocation *invocation, int at, bool *ret_joined);

#endif
