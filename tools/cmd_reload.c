/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl reload, and diff, which is a dry run of it. */
#include <stdlib.h>

#include "changes.h"
#include "input.h"
#include "say.h"

#define CONFIRM_MAX_S 86400 /* more is refused by rtregd */

struct reload {
	const char *file; /* NULL: the daemon's own files */
	const char *if_generation, *confirm;
	bool dry_run, force;
};

static void append_target(struct text *target, const struct reload *reload)
{
	const struct {
		const char *key, *value; /* NULL: left out */
	} parameters[] = {
	        {"dry-run", reload->dry_run ? "true" : NULL},
	        {"force", reload->force ? "true" : NULL},
	        {"confirm", reload->confirm},
	};
	char separator = '?';

	text_append(target, "/v1/reload");
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (!parameters[i].value)
			continue;
		text_printf(target, "%c%s=%s", separator, parameters[i].key, parameters[i].value);
		separator = '&';
	}
}

static int send_reload(const struct ctl *ctl, const struct reload *reload)
{
	_cleanup_text_ struct text target = {0}, body = {0};
	struct changes_view view = {.dry_run = reload->dry_run, .from_body = reload->file};
	struct http_request request = {.method = "POST"};

	if (reload->confirm)
		view.confirm_s = strtoull(reload->confirm, NULL, 10);
	append_target(&target, reload);
	if (reload->file) {
		int code = input_load(reload->file, &body);

		if (code != EXIT_DONE)
			return code;
	}
	if (target.failed)
		return say_no_memory();
	request.target = target.data;
	request.body = body.data;
	request.body_size = body.length;
	return changes_make(ctl, &request, reload->if_generation, &view);
}

static bool check_confirm(const struct reload *reload)
{
	unsigned long long seconds;

	if (!reload->confirm)
		return true;
	if (reload->dry_run) {
		say_error("--confirm and --dry-run exclude each other");
		return false;
	}
	seconds = changes_is_number(reload->confirm) ? strtoull(reload->confirm, NULL, 10) : 0;
	if (seconds == 0 || seconds > CONFIRM_MAX_S)
		say_error("--confirm wants seconds from 1 to %d, not \"%s\"", CONFIRM_MAX_S, reload->confirm);
	return seconds > 0 && seconds <= CONFIRM_MAX_S;
}

int cmd_reload(const struct ctl *ctl, const struct arguments *arguments)
{
	struct reload reload = {
	        .file = arguments->count > 0 ? arguments->words[0] : NULL,
	        .if_generation = arguments->options[RELOAD_IF_GENERATION],
	        .confirm = arguments->options[RELOAD_CONFIRM],
	        .dry_run = arguments->options[RELOAD_DRY_RUN],
	        .force = arguments->options[RELOAD_FORCE],
	};

	if (!changes_check_generation(reload.if_generation) || !check_confirm(&reload))
		return say_usage("reload");
	return send_reload(ctl, &reload);
}

int cmd_diff(const struct ctl *ctl, const struct arguments *arguments)
{
	struct reload reload = {.file = arguments->words[0], .dry_run = true};

	return send_reload(ctl, &reload);
}
