/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: rtregd's own options, and one flag for each key of the configuration. */
#ifndef RTREGD_OPTIONS_H
#define RTREGD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "rtreg/rtreg.h"

#define DEFAULT_CONFIG_FILE "/etc/rtreg/daemon.json"
#define DEFAULT_STATE_DIR   "/var/lib/rtreg"

struct options {
	const char *config_file, *state_dir, *socket; /* NULL: the default, but for the socket */
	mode_t socket_mode;
	gid_t group; /* NO_GROUP: none */
	unsigned threads;
	bool no_watch, validate, version, help;
	struct rtreg_flag *flags; /* of keys, in order; the values are the command line's */
	size_t flag_count;
};

/*
 * Fills `options`; the strings of argv are borrowed. Returns 0, -EINVAL with the message for a usage error,
 * or -ENOMEM.
 */
int options_parse(int argc, char *argv[], struct options *options, struct rtreg_error *error);
void options_fini(struct options *options);
/* --help */
void options_print_help(FILE *stream);

/* An option as a person reads of it. The strings are constant. */
struct option_info {
	char letter; /* '\0': none */
	bool is_key; /* of the configuration; else rtregd's own */
	const char *name;
	const char *argument; /* NULL: none, and a key's then takes =false */
	const char *help;
	const char *standard; /* the default as JSON, NULL where there is none or `help` tells it */
};

/* All options, rtregd's own first, then those of keys by name. The caller frees the array. 0 or -ENOMEM. */
int options_list(struct option_info **ret_list, size_t *ret_count);

#endif
