/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtreg-bench: what rtreg costs, beside what else one could have taken. */
#include "bench/command_line.h"

int main(int argc, char **argv)
{
	return bench_main(argc, argv);
}
