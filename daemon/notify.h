/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rtregd and systemd tell each other: notifications, the watchdog, the socket that was handed over
 * (docs/systemd.md). Without a service manager that asked for them, or in a build without libsystemd
 * (notify_none.c), all of this does nothing.
 */
#ifndef RTREGD_NOTIFY_H
#define RTREGD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "rtreg/rtreg.h"

/*
 * Takes what the service manager left in the environment out of it, so that no child of ours finds it there.
 * *ret_fd: the one listening unix socket that was handed over, or -1. Errors: -EINVAL for more than one, or
 * one of another kind. Context: the first thread, before there are others.
 */
int notify_init(int *ret_fd, struct rtreg_error *error);

/* --- from the main loop */

void notify_started(uint64_t generation);
/*
 * Tells the watchdog that the daemon lives, if it is time to. Returns after how many ms to call again; -1:
 * nobody watches.
 */
int notify_watchdog(void);
void notify_stopping(void);
/* While the requests in flight end: asks for more time, if it is time to, and tells the watchdog. */
void notify_draining(void);

/* --- from the reload queue's thread */

/* Before and after each reload; of a dry run systemd hears nothing. */
void notify_reload_begins(bool dry_run);
/* `failure`: the message, NULL for none. `generation` 0: it was no reload after all, the status stays. */
void notify_reload_ends(uint64_t generation, const char *failure);

#endif
