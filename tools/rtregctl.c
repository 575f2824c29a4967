/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl: the client of rtregd. */
#include "command_line.h"

int main(int argc, char **argv)
{
	return command_line_run(argc, argv);
}
