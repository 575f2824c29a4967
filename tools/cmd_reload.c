/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl reload, and diff, which is a dry run of it. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "changes.h"
#include "input.h"
#include "say.h"

struct reload {
	const char *file; /* NULL: the daemon's own files */
	const char *if_generation;
	bool dry_run, force;
};

static bool is_number(const char *string)
{
	size_t digits = strspn(string, "0123456789");

	return digits > 0 && digits < 20 && !string[digits];
}

static int show(struct json_object *root, const void *context)
{
	return changes_show(root, context);
}

static int send_reload(const struct ctl *ctl, const struct reload *reload)
{
	_cleanup_text_ struct text target = {0}, body = {0}, if_match = {0};
	struct changes_view view = {.dry_run = reload->dry_run, .from_body = reload->file};
	struct http_request request = {.method = "POST"};

	text_append(&target, "/v1/reload");
	if (reload->dry_run)
		text_append(&target, "?dry-run=true");
	if (reload->force)
		text_append(&target, reload->dry_run ? "&force=true" : "?force=true");
	text_printf(&if_match, "\"%s\"", reload->if_generation ? reload->if_generation : "");
	if (reload->file) {
		int code = input_load(reload->file, &body);

		if (code != EXIT_DONE)
			return code;
	}
	if (target.failed || if_match.failed)
		return say_no_memory();
	request.target = target.data;
	request.if_match = reload->if_generation ? if_match.data : NULL;
	request.body = body.data;
	request.body_size = body.length;
	return call_and_show(ctl, &request, show, &view);
}

int cmd_reload(const struct ctl *ctl, const struct arguments *arguments)
{
	struct reload reload = {
	        .file = arguments->count > 0 ? arguments->words[0] : NULL,
	        .if_generation = arguments->options[RELOAD_IF_GENERATION],
	        .dry_run = arguments->options[RELOAD_DRY_RUN],
	        .force = arguments->options[RELOAD_FORCE],
	};

	if (reload.if_generation && !is_number(reload.if_generation)) {
		say_error("--if-generation wants a number, not \"%s\"", reload.if_generation);
		return EXIT_USAGE;
	}
	return send_reload(ctl, &reload);
}

int cmd_diff(const struct ctl *ctl, const struct arguments *arguments)
{
	struct reload reload = {.file = arguments->words[0], .dry_run = true};

	return send_reload(ctl, &reload);
}
