/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of this process. */
#ifndef RTREGD_PROCESS_H
#define RTREGD_PROCESS_H

#include <stdint.h>

#define PROCESS_UNKNOWN UINT64_MAX

/* What cannot be told, for want of a descriptor or of /proc, is PROCESS_UNKNOWN; so is no limit. */
struct process_usage {
	uint64_t cpu_ns, open_fds, max_fds, resident_bytes, virtual_bytes;
};

/* Context: any thread. */
void process_usage(struct process_usage *ret);

#endif
