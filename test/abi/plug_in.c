/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An engine's plug-in, which the engine's program opens by dlopen(), and the library with it. */
#include <urcu-bp.h>

#include "sandbox.h"

int plug_in_open(void);
const struct rtreg_snapshot *plug_in_pin(void);
int plug_in_close(const struct rtreg_snapshot *pin);

static struct sandbox sandbox;
static struct rtreg *registry;

int plug_in_open(void)
{
	sandbox_init(&sandbox);
	return rtreg_open(&sandbox.options, &registry, NULL);
}

const struct rtreg_snapshot *plug_in_pin(void)
{
	return rtreg_pin(registry);
}

/* 0 if it is the one pin of the generation that a reload supersedes. */
int plug_in_close(const struct rtreg_snapshot *pin)
{
	struct rtreg_pinned pinned = {0, 0};
	int code = rtreg_reload(registry, NULL, RTREG_RELOAD_FORCE, NULL, NULL);

	if (code == 0 && (rtreg_pinned(registry, &pinned, 1) != 1 || pinned.count != 1 ||
	                  pinned.generation != rtreg_snapshot_generation(pin)))
		code = -ERANGE;
	rtreg_unpin(pin);
	rtreg_close(registry);
	sandbox_fini(&sandbox);
	return code;
}
