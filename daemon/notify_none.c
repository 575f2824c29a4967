/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* notify.h in a build without libsystemd. */
#include "notify.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "log.h"

int notify_init(int *ret_fd, struct rtreg_error *error)
{
	static const char *const variables[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC"};

	(void)error;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (getenv(variables[i]))
			log_warn("built without libsystemd: what systemd asks for is not done", "variable",
			         variables[i]);
	*ret_fd = -1;
	return 0;
}

void notify_started(uint64_t generation)
{
	(void)generation;
}

int notify_watchdog(void)
{
	return -1;
}

void notify_stopping(void)
{
}

void notify_draining(void)
{
}

void notify_reload_begins(bool dry_run)
{
	(void)dry_run;
}

void notify_reload_ends(uint64_t generation, const char *failure)
{
	(void)generation;
	(void)failure;
}
