/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints what rtreg-runtime knows of the command lines of runtimes, for runtime_options.py: a line each, with tabs:
 * the command ("" for the global options), the names of an option, and whether it takes a value: none, taken, equals.
 */
#include <stdio.h>

#include "runtime/commands.h"

static const char *const values[] = {
        [VALUE_NONE] = "none",
        [VALUE_TAKEN] = "taken",
        [VALUE_BEHIND_EQUALS] = "equals",
};

static void print(const char *command, const struct oci_option *options)
{
	for (; options->names; options++)
		printf("%s\t%s\t%s\n", command, options->names, values[options->value]);
}

int main(void)
{
	print("", global_options);
	for (size_t i = 0; i < oci_command_count; i++) {
		print(oci_commands[i].name, oci_commands[i].options);
		print(oci_commands[i].name, every_command);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
