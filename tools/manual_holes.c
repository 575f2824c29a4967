/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manual_holes.h"

#include <stdio.h>
#include <string.h>

#include "bench/command_line.h"
#include "bench/goals.h"
#include "commands.h"
#include "daemon/options.h"
#include "manual_roff.h"
#include "runtime/commands.h"

static void append_daemon_option(struct text *page, const struct option_info *option)
{
	roff_option(page, option->letter, option->name, option->argument);
	roff_sentence(page, option->help);
	if (!option->standard)
		return;
	text_append(page, "Default: ");
	roff_value(page, option->standard);
	text_append(page, ".\n");
}

static void daemon_options(struct text *page, bool keys)
{
	_cleanup_free_ struct option_info *list = NULL;
	size_t count = 0;

	if (options_list(&list, &count) < 0)
		page->failed = true;
	for (size_t i = 0; i < count; i++)
		if (list[i].is_key == keys)
			append_daemon_option(page, &list[i]);
}

static void own_options(struct text *page)
{
	daemon_options(page, false);
}

static void key_options(struct text *page)
{
	daemon_options(page, true);
}

static void all_common_options(struct text *page)
{
	for (size_t i = 0; i < common_option_count; i++) {
		const struct common_option *option = &common_options[i];

		roff_option(page, common_letter(option), option->name, option->value);
		roff_sentence(page, option->help);
		if (option->before_only)
			text_append(page, "Only in front of the command.\n");
	}
}

static void append_command(struct text *page, const struct command *command)
{
	const struct command_option *option = command->options;

	text_append(page, ".TP\n");
	roff_bold(page, command->name);
	if (*command->arguments) {
		text_append_char(page, ' ');
		roff_usage(page, command->arguments);
	}
	text_append_char(page, '\n');
	roff_sentence(page, command->help);
	if (!option && !command->notes)
		return;
	text_append(page, ".RS\n");
	for (; option && option->name; option++) {
		roff_option(page, '\0', option->name, option->value);
		roff_sentence(page, option->help);
	}
	if (command->notes) {
		text_append(page, ".PP\n");
		roff_append(page, command->notes);
		text_append_char(page, '\n');
	}
	text_append(page, ".RE\n");
}

static void all_commands(struct text *page)
{
	for (size_t i = 0; i < command_count; i++)
		append_command(page, &commands[i]);
}

static void front_door_options(struct text *page)
{
	for (const struct oci_option *option = global_options; option->names; option++) {
		char name[32];

		if (!option->help)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)oci_option_length(option), option->names);
		roff_option(page, oci_option_letter(option), name, option->argument);
		roff_sentence(page, option->help);
	}
}

static void front_door_commands(struct text *page)
{
	for (size_t i = 0; i < oci_command_count; i++) {
		text_append(page, ".TP\n");
		roff_bold(page, oci_commands[i].name);
		text_append_char(page, '\n');
		roff_sentence(page, oci_commands[i].help);
	}
}

static void bench_all_options(struct text *page)
{
	for (size_t i = 0; i < bench_option_count; i++) {
		const struct bench_option *option = &bench_options[i];

		roff_option(page, bench_letter(option), option->name, option->value);
		roff_sentence(page, option->help);
	}
}

static void append_bench_goals(struct text *page, const char *subcommand)
{
	const char *head = ".RS\n.PP\nGoals:\n";

	for (size_t i = 0; i < goal_count; i++) {
		_cleanup_text_ struct text goal = {0};

		if (strcmp(goals[i].subcommand, subcommand) != 0)
			continue;
		text_append(page, head);
		text_append(page, ".TP\n");
		roff_bold(page, goals[i].id);
		text_append_char(page, '\n');
		goal_describe(&goal, &goals[i]);
		roff_append(page, text_string(&goal));
		text_append(page, ".\n");
		head = "";
	}
	if (!*head)
		text_append(page, ".RE\n");
}

static void bench_subcommands(struct text *page)
{
	for (size_t i = 0; i < subcommand_count; i++) {
		text_append(page, ".TP\n");
		roff_bold(page, subcommands[i].name);
		text_append_char(page, '\n');
		roff_sentence(page, subcommands[i].help);
		if (subcommands[i].notes) {
			roff_append(page, subcommands[i].notes);
			text_append_char(page, '\n');
		}
		append_bench_goals(page, subcommands[i].name);
	}
}

static const struct {
	const char *name;
	void (*fill)(struct text *page);
} holes[] = {
        {"OWN_OPTIONS", own_options},
        {"KEY_OPTIONS", key_options},
        {"COMMON_OPTIONS", all_common_options},
        {"COMMANDS", all_commands},
        {"KEYS", hole_keys},
        {"COMPATIBLE", hole_compatible},
        {"FRONT_DOOR_OPTIONS", front_door_options},
        {"FRONT_DOOR_COMMANDS", front_door_commands},
        {"BENCH_OPTIONS", bench_all_options},
        {"BENCH_SUBCOMMANDS", bench_subcommands},
};

bool hole_fill(struct text *page, const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(holes); i++)
		if (strlen(holes[i].name) == length && memcmp(holes[i].name, name, length) == 0) {
			holes[i].fill(page);
			return true;
		}
	return false;
}
