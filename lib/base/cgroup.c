/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cgroup.h"

#include <linux/magic.h>
#include <sys/vfs.h>

bool cgroup_is_v2(void)
{
	struct statfs fs;

	return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}
