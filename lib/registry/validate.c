/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking a configuration as a start would, without a registry: nothing is written, no process started. */
#include "registry/registry.h"

static int validate(const struct setup *setup, const struct rtreg_source *source, struct rtreg_report **ret,
                    struct rtreg_error *error)
{
	_cleanup_problems_ struct problems problems = {0};
	_cleanup_(input_fini) struct input input = {0};
	_cleanup_report_ struct rtreg_report *report = NULL;
	struct draft draft;
	int r;

	r = input_read(&input, setup, setup->keys, source, NULL, &problems, error);
	if (r == 0)
		r = draft_build(&draft, setup, &input, NULL, NULL, &problems, error);
	if (r < 0)
		return r;
	if (report_new(&draft, NULL, &report) < 0 || report_finish(report, 0, 0, &problems) < 0)
		return error_no_memory(error);
	if (ret)
		*ret = take(report);
	return 0;
}

int rtreg_validate(const struct rtreg_options *options, const struct rtreg_source *source,
                   struct rtreg_report **ret, struct rtreg_error *error)
{
	_cleanup_(setup_fini) struct setup setup = {0};
	int r = setup_init(&setup, options, error);

	return r < 0 ? r : validate(&setup, source, ret, error);
}
