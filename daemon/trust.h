/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may change things: root, the daemon's own user, and members of its group, by the peer's credentials. */
#ifndef RTREGD_TRUST_H
#define RTREGD_TRUST_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#define NO_GROUP ((gid_t)-1)

/* `fd` for the supplementary groups. A refusal is logged with pid, uid and command. */
bool trust_peer(int fd, const struct ucred *credentials, gid_t group);

#endif
