/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rtreg-runtime tells of itself. */
#include <stdio.h>

#include "runtime/front_door.h"

/* containerd and dockerd look for these lines in what a runtime prints. */
#define SPEC_VERSION "1.0.2"

void about_version(void)
{
	printf("rtreg-runtime version %s\ncommit: v%s\nspec: %s\n", RTREG_VERSION, RTREG_VERSION,
	       SPEC_VERSION);
}

static void print_option(const struct oci_option *option)
{
	const char letter = oci_option_letter(option);
	char left[64];

	snprintf(left, sizeof(left), "%.*s%s%s", (int)oci_option_length(option), option->names,
	         option->argument ? " " : "", option->argument ? option->argument : "");
	printf("  %c%c%c --%-24s%s\n", letter ? '-' : ' ', letter ? letter : ' ', letter ? ',' : ' ', left,
	       option->help);
}

void about_help(void)
{
	puts("Usage: rtreg-runtime [global options of runc or crun] COMMAND [options] CONTAINER ...\n"
	     "\n"
	     "An OCI runtime that executes the one which rtregd has for a container: that which the "
	     "annotation\n"
	     "io.rtreg.runtime in its config.json names, else the default. A container keeps it until it is "
	     "deleted.\n"
	     "\n"
	     "Commands, and what executes them:");
	for (size_t i = 0; i < oci_command_count; i++)
		printf("  %-12s%s\n", oci_commands[i].name, oci_commands[i].help);
	puts("\n"
	     "Every other command is executed by the container's own runtime, or else by the default "
	     "runtime.\n"
	     "\n"
	     "Options, besides those that are the runtime's own affair:");
	for (const struct oci_option *option = global_options; option->names; option++)
		if (option->help)
			print_option(option);
	puts("\n"
	     "Environment:\n"
	     "  RTREG_SOCKET      where rtregd listens (default /run/rtreg/rtreg.sock)\n"
	     "  RTREG_STATE_DIR   where it keeps its state (default /var/lib/rtreg)");
}
