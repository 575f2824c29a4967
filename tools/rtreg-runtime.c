/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/front_door.h"

int main(int argc, char *argv[])
{
	return front_door_main(argc, argv);
}
