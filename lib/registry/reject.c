/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the configuration of a failed reload is kept, and when it goes (docs/dropins.md). */
#include <errno.h>

#include "base/fs.h"
#include "registry/registry.h"
#include "state/rejected.h"

/* Best effort: neither a reload nor a start fails for it. */
static void warn(const struct rtreg *registry, const char *what, int code)
{
	_cleanup_text_ struct text text = {0};

	if (!registry->log)
		return;
	text_printf(&text, "%s %s/" REJECTED_DIR ": %s; %s", what, registry->setup.state_dir,
	            fs_error_text(code), fs_error_advice(code));
	registry->log(registry->log_context, RTREG_LOG_WARN, text_string(&text));
}

/* Whether a failure says something about the configuration. */
static bool tells(int result)
{
	return result != -ESTALE && result != -EBUSY && result != -ENOMEM;
}

void reject_keep(struct rtreg *registry, const struct input *input, int result,
                 const struct rtreg_error *error)
{
	int r;

	if (!tells(result))
		return;
	if (!input->complete) {
		/* An earlier failure's files would pass for those of this one. */
		if (registry->has_rejected)
			reject_forget(registry);
		return;
	}
	registry->has_rejected = true; /* a part may be there also where writing fails */
	r = rejected_write(registry->state, &input->sources, error);
	if (r < 0) {
		warn(registry, "the rejected configuration cannot be kept in", r);
		rejected_remove(registry->state);
	}
}

void reject_forget(struct rtreg *registry)
{
	int r = rejected_remove(registry->state);

	registry->has_rejected = r < 0;
	if (r < 0)
		warn(registry, "the rejected configuration cannot be removed from", r);
}
