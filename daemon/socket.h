/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listening unix socket: made, taken over from a daemon that died, and removed if it is still ours. */
#ifndef RTREGD_SOCKET_H
#define RTREGD_SOCKET_H

#include <sys/stat.h>
#include <sys/types.h>

#include "rtreg/rtreg.h"

struct socket_address {
	const char *path; /* the caller's */
	int fd;           /* -1: none */
	dev_t device;
	ino_t inode;
};

/*
 * Listens at `path` (non-blocking), with that mode and group (NO_GROUP: unchanged), and makes its parent
 * directories. Changes the umask for a moment, so: before other threads make files.
 * -EADDRINUSE: a living daemon is there; -ENAMETOOLONG; what the system said, with the path in the message.
 */
int socket_listen(const char *path, mode_t mode, gid_t group, struct socket_address *ret,
                  struct rtreg_error *error);
/* Closes it, and unlinks the path if it is still the one that was made. */
void socket_close(struct socket_address *address);

#endif
