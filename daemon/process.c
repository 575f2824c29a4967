/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/cleanup.h"

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_usec * 1000;
}

static uint64_t count_fds(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t count = 0;

	if (!dir)
		return PROCESS_UNKNOWN;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	return count - 1; /* but for the one that looks */
}

static void read_memory(struct process_usage *usage)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), size, resident;
	char buffer[128];
	ssize_t length = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);

	if (length < 0)
		return;
	buffer[length] = '\0';
	if (sscanf(buffer, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
		return;
	usage->virtual_bytes = size * page_bytes;
	usage->resident_bytes = resident * page_bytes;
}

void process_usage(struct process_usage *ret)
{
	struct rusage used;
	struct rlimit limit;

	*ret = (struct process_usage){
	        .cpu_ns = PROCESS_UNKNOWN,
	        .open_fds = count_fds(),
	        .max_fds = PROCESS_UNKNOWN,
	        .resident_bytes = PROCESS_UNKNOWN,
	        .virtual_bytes = PROCESS_UNKNOWN,
	};
	if (getrusage(RUSAGE_SELF, &used) == 0)
		ret->cpu_ns = timeval_ns(&used.ru_utime) + timeval_ns(&used.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		ret->max_fds = limit.rlim_cur;
	read_memory(ret);
}
