/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The listening unix socket: made, taken over from a daemon that died, and removed if it is still ours; or
 * handed over by whoever started us, who keeps it and its path.
 */
#ifndef RTREGD_SOCKET_H
#define RTREGD_SOCKET_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include "rtreg/rtreg.h"

struct socket_address {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	int fd; /* -1: none */
	bool handed_over;
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
/* `fd` listens already, is ours from now on, and never blocks. Path, mode and group are left as they are. */
int socket_take_over(int fd, struct socket_address *ret, struct rtreg_error *error);
/* Closes it, and unlinks the path if it is still the one that was made here. */
void socket_close(struct socket_address *address);

#endif
