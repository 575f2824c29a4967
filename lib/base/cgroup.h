/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_BASE_CGROUP_H
#define RTREG_BASE_CGROUP_H

#include <stdbool.h>

/* Whether this machine has cgroup v2 alone at /sys/fs/cgroup, not v1 or a hybrid. */
bool cgroup_is_v2(void);

#endif
