/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl completion: the script for a shell, or the names of runtimes and containers that such a script asks for. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "complete.h"
#include "display.h"
#include "say.h"

/* Whether a terminal shows the name as it is: what it hides cannot be chosen from a list. */
static bool is_shown(const char *name)
{
	_cleanup_text_ struct text shown = {0};

	display_append(&shown, name);
	return !shown.failed && strcmp(text_string(&shown), name) == 0;
}

static int show_names(struct json_object *root, const void *context)
{
	_cleanup_free_ const char **names = reply_keys(reply_object(root, "runtimes"));

	(void)context;
	if (!names)
		return say_no_memory();
	for (const char **name = names; *name; name++)
		if (is_shown(*name))
			puts(*name);
	return EXIT_DONE;
}

static int show_containers(struct json_object *root, const void *context)
{
	struct json_object *containers = reply_array(root, "containers");

	(void)context;
	for (size_t i = 0; i < reply_count(containers); i++) {
		const char *id = reply_string(reply_item(containers, i), "id");

		if (*id && is_shown(id))
			puts(id);
	}
	return EXIT_DONE;
}

static bool write_script(const char *shell, struct text *script)
{
	struct program_option options[COMMON_OPTIONS_MAX];
	const struct program program = {
	        .name = "rtregctl",
	        .options = options,
	        .option_count = common_option_count,
	        .commands = commands,
	        .command_count = command_count,
	};

	for (size_t i = 0; i < common_option_count; i++)
		options[i] = (struct program_option){
		        .letter = common_letter(&common_options[i]),
		        .before_only = common_options[i].before_only,
		        .name = common_options[i].name,
		        .value = common_options[i].value,
		        .help = common_options[i].help,
		};
	return complete_write(shell, script, &program);
}

int cmd_completion(const struct ctl *ctl, const struct arguments *arguments)
{
	const struct ctl plain = {.socket = ctl->socket, .timeout_ms = ctl->timeout_ms};
	const char *word = arguments->words[0];
	_cleanup_text_ struct text script = {0};

	if (strcmp(word, "names") == 0)
		return call_get(&plain, "/v1/runtimes", show_names, NULL);
	if (strcmp(word, "containers") == 0)
		return call_get(&plain, "/v1/containers", show_containers, NULL);
	if (!write_script(word, &script)) {
		say_error("there is no completion for \"%s\"", word);
		return say_usage("completion");
	}
	if (script.failed)
		return say_no_memory();
	fputs(text_string(&script), stdout);
	return EXIT_DONE;
}
