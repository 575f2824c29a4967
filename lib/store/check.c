/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The look-up of a runtime's binary, fenced off from reader sections because it may block. */
#include <string.h>

#include "base/problems.h"
#include "runtimes/lookup.h"
#include "store/rcu.h"

int rtreg_runtime_check_flavor(const struct rtreg_runtime *runtime, const struct rcu_flavor_struct *flavor,
                               struct rtreg_error *error)
{
	_cleanup_free_ char *path = NULL;
	bool offline;
	int r;

	/* A copy: a thread that goes offline gives back what it had borrowed, and the path may be of that. */
	if (runtime->wrapper) {
		path = strdup(runtime->path);
		if (!path)
			return error_no_memory(error);
	}
	r = blocking_begin(flavor, &offline);
	if (r < 0)
		return error_set(error, r, "rtreg_runtime_check", "called inside a reader section");
	if (path)
		r = lookup_binary(path, NULL, error);
	blocking_end(flavor, offline);
	return r;
}
