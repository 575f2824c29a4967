/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The HTTP library takes a connection that it has not accepted itself for one of TCP, and after each reply sets two
 * options of TCP on it. It leaves that off once it has been told that there is no such option; for a unix socket,
 * however, the kernel tells of an operation that is not supported, which it takes for a failure of this one time. Two
 * system calls and three messages for each request are a third of what a request costs.
 *
 * So this stands before the C library's function, for all that is linked with the daemon, and differs from it in that
 * error alone. Where it is not found by the HTTP library (one that is linked statically), nothing is lost but time.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	long rc = syscall(SYS_setsockopt, fd, level, name, value, size);

	if (rc < 0 && errno == EOPNOTSUPP && level == IPPROTO_TCP)
		errno = ENOPROTOOPT;
	return (int)rc;
}
