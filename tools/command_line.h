/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl from its arguments to its exit code. */
#ifndef RTREG_TOOLS_COMMAND_LINE_H
#define RTREG_TOOLS_COMMAND_LINE_H

int command_line_run(int argc, char **argv);

#endif
