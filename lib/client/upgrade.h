/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to rtregd that speaks shared/format.h instead of HTTP: it gives descriptors. */
#ifndef RTREG_CLIENT_UPGRADE_H
#define RTREG_CLIENT_UPGRADE_H

#include <stdint.h>

/*
 * Connects, and has the connection upgraded. Errors: -ENOTCONN nobody is there; -EOPNOTSUPP rtregd does not do it;
 * -ETIMEDOUT, -ECONNRESET, -EPROTO, -ENOMEM.
 */
int upgrade_open(const char *socket, int64_t timeout_ms, int *ret_fd);

/*
 * Asks for one of SHARED_ASK_…; *ret_fd is the caller's, close-on-exec. Errors: -ENOENT there is none; -EMFILE this
 * process has no room for it; -ETIMEDOUT, -ECONNRESET, -EPROTO.
 */
int upgrade_ask(int fd, uint32_t what, int64_t timeout_ms, int *ret_fd);

#endif
