/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notices changes of the configuration's files with inotify, and asks for a reload once they have settled
 * (docs/watch.md). Belongs to the main loop; but for watch_append_status() all is called from there.
 */
#ifndef RTREGD_WATCH_H
#define RTREGD_WATCH_H

#include "base/text.h"

struct reloads;
struct watch;

enum {
	WATCH_QUIET_MS = 250,
	WATCH_LATEST_MS = 2000,
	WATCH_RETRY_MS = 60000,
};

/*
 * Watches from now on; what happens is kept until it is read. `config_file` is absolute and stays the
 * caller's. That it cannot be watched is logged and no failure: it is tried again. NULL without memory.
 */
struct watch *watch_new(const char *config_file, int epoll_fd);
void watch_free(struct watch *watch);

/* The descriptor that `epoll_fd` reports, or -1. `watch` may be NULL. */
int watch_fd(const struct watch *watch);
void watch_read(struct watch *watch);
/* Asks for a reload if it is time. Returns how long the loop may sleep in ms: -1 for ever. NULL is allowed. */
int watch_tick(struct watch *watch, struct reloads *reloads);

/* Appends {"enabled","error"}. NULL is "not enabled". Context: any thread. */
void watch_append_status(struct watch *watch, struct text *text);

#endif
