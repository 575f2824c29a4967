/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl validate: checks a configuration as a start of rtregd would, without one. */
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "command.h"
#include "input.h"
#include "say.h"

static void report_freep(struct rtreg_report **report)
{
	rtreg_report_free(*report);
}

static void say_errors(const struct rtreg_error *error)
{
	say_error("%s", error->message);
	for (size_t i = 0; error->more && i < error->more->count; i++)
		say_detail("%s", error->more->errors[i].message);
}

/* The report as it is for programs, the warnings for people. */
static void show(const struct ctl *ctl, const struct rtreg_report *report)
{
	const char *warning;

	if (ctl->json)
		puts(rtreg_report_json(report));
	else
		for (size_t i = 0; (warning = rtreg_report_warning(report, i)); i++)
			say_warning(warning);
	fputs("configuration OK\n", stderr);
}

int cmd_validate(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_(report_freep) struct rtreg_report *report = NULL;
	_cleanup_text_ struct text text = {0};
	struct rtreg_options options = {0};
	struct rtreg_source source = {0};

	if (strcmp(arguments->words[0], "-") == 0) {
		int code = input_load("-", &text);

		if (code != EXIT_DONE)
			return code;
		source.bytes = text.data;
		source.size = text.length;
	} else {
		options.config_file = arguments->words[0];
	}
	if (rtreg_validate(&options, source.bytes ? &source : NULL, &report, &error) < 0) {
		say_errors(&error);
		return EXIT_REFUSED;
	}
	show(ctl, report);
	return EXIT_DONE;
}
