/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running `BINARY features` for many binaries at once. For probe.c alone. */
#ifndef RTREG_RUNTIMES_PROBE_CHILD_H
#define RTREG_RUNTIMES_PROBE_CHILD_H

#include <sys/types.h>

#include "base/text.h"

#define PROBE_OUTPUT_MAX ((size_t)1024 * 1024)

struct probe_child {
	const char *binary; /* to be executed */

	/* The answer: a document, or why there is none. Both malloc'ed, the caller's. */
	char *document, *failure;
	bool final; /* asked again, the same binary would answer the same */

	/* probe_child.c's own, zeroed */
	pid_t pid;
	int output, pidfd;
	struct text text;
};

/*
 * Runs them all, at most 32 at once, and gives each an answer within `limit_ms` for all together. Nothing
 * that they started is left running. -ENOMEM: some have no answer.
 */
int probe_children_run(struct probe_child *children, size_t count, int limit_ms);

#endif
