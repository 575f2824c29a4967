/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The script for fish, which wants one `complete` a line and asks a function where the cursor is. fish quotes what
 * a command substitution prints.
 */
#include <string.h>

#include "complete.h"

#define QUOTE "\\'"

static const char head[] = "# fish completion for PROGRAM. Made from its tables when it was built.\n"
                           "\n"
                           "complete -c PROGRAM -f\n";

static const char names[] =
        "\n"
        "# Runtimes (names) or containers of the daemon; the first may be called anything.\n"
        "function __PROGRAM_names\n"
        "    set -l tokens (commandline -opc)\n"
        "    set -l where\n"
        "    for i in (seq (count $tokens))\n"
        "        set -l socket\n"
        "        if contains -- $tokens[$i] -s --socket\n"
        "            set socket $tokens[(math $i + 1)]\n"
        "        else if string match -q -- '--socket=*' $tokens[$i]\n"
        "            set socket (string replace -- --socket= '' $tokens[$i])\n"
        "        else\n"
        "            continue\n"
        "        end\n"
        "        # the value as typed: what a shell would change in it is not known here\n"
        "        string match -qr -- '^[A-Za-z0-9_./-]+$' \"$socket\"; or return\n"
        "        set where -s $socket\n"
        "    end\n"
        "    # fish would leave a tilde at the beginning to be expanded\n"
        "    command PROGRAM --timeout 2 $where completion $argv[1] 2>/dev/null </dev/null | string match -v "
        "-- "
        "'~*'\n"
        "end\n";

static const char walk_head[] =
        "\n"
        "# Whether the command in front of the cursor is this one, with so many words behind it.\n"
        "function __PROGRAM_at\n";

static const char walk[] =
        "    set -l tokens (commandline -opc)\n"
        "    set -l at\n"
        "    set -l words 0\n"
        "    set -l pending no\n"
        "    set -e tokens[1]\n"
        "    for token in $tokens\n"
        "        set -l next (string trim -- \"$at $token\")\n"
        "        if test $pending = yes\n"
        "            set pending no\n"
        "        else if string match -q -- '-*' \"$token\"\n"
        "            if contains -- \"$token\" $common; or contains -- \"$at $token\" $valued\n"
        "                set pending yes\n"
        "            end\n"
        "        else if contains -- \"$next\" $commands\n"
        "            set at $next\n"
        "            set words 0\n"
        "        else\n"
        "            set words (math $words + 1)\n"
        "        end\n"
        "    end\n"
        "    test \"$at\" = \"$argv[1]\"; or return\n"
        "    test (count $argv) -lt 2; or test $words -eq $argv[2]\n"
        "end\n"
        "\n";

/* What makes `complete` offer that kind, for the value of an option or for a word. */
static void append_kind(struct text *text, const struct program *program, const char *word, size_t length,
                        bool is_value)
{
	_cleanup_text_ struct text kind = {0};

	complete_append_kind(&kind, program, word, length);
	if (kind.failed)
		text->failed = true;
	else if (strcmp(kind.data, "files") == 0)
		text_append(text, is_value ? " -r -F" : " -F");
	else if (strcmp(kind.data, "directories") == 0)
		text_append(text, is_value ? " -x -a '(__fish_complete_directories)'"
		                           : " -a '(__fish_complete_directories)'");
	else if (strcmp(kind.data, "runtimes") == 0)
		text_printf(text, "%s -a '(__%s_names names)'", is_value ? " -x" : "", program->name);
	else if (strcmp(kind.data, "containers") == 0)
		text_printf(text, "%s -a '(__%s_names containers)'", is_value ? " -x" : "", program->name);
	else if (strcmp(kind.data, "-") == 0)
		text_append(text, is_value ? " -x" : "");
	else {
		for (char *bar = kind.data; (bar = strchr(bar, '|'));)
			*bar = ' ';
		text_printf(text, "%s -a '%s'", is_value ? " -x" : "", kind.data);
	}
}

static void append_rest(struct text *text, const struct program *program, const char *name, const char *value,
                        const char *help)
{
	text_printf(text, " -l %s", name);
	if (value)
		append_kind(text, program, value, strlen(value), true);
	text_append(text, " -d ");
	complete_quote(text, help, QUOTE);
	text_append_char(text, '\n');
}

static void append_option(struct text *text, const struct program *program,
                          const struct program_option *option)
{
	text_printf(text, "complete -c %s", program->name);
	if (option->before_only && program->command_count > 0)
		text_printf(text, " -n '__%s_at \"\"'", program->name);
	if (option->letter)
		text_printf(text, " -s %c", option->letter);
	append_rest(text, program, option->name, option->value, option->help);
}

static void append_word(struct text *text, const struct program *program, const struct command *command,
                        const char *word, size_t length, size_t index)
{
	text_printf(text, "complete -c %s -n '__%s_at \"%s\" %zu'", program->name, program->name,
	            command->name, index);
	append_kind(text, program, word, length, false);
	text_append_char(text, '\n');
}

/* The name of a command; the first of two words is offered once, and has no help of its own. */
static void append_name(struct text *text, const struct program *program, size_t index)
{
	const char *name = program->commands[index].name;
	const size_t first = strcspn(name, " ");

	if (name[first] && !complete_is_repeated(program, index))
		text_printf(text, "complete -c %s -n '__%s_at \"\" 0' -a %.*s\n", program->name,
		            program->name, (int)first, name);
	text_printf(text, "complete -c %s -n '__%s_at \"%.*s\" 0' -a %s -d ", program->name, program->name,
	            name[first] ? (int)first : 0, name, name[first] ? name + first + 1 : name);
	complete_quote(text, program->commands[index].help, QUOTE);
	text_append_char(text, '\n');
}

static void append_command(struct text *text, const struct program *program, const struct command *command)
{
	complete_each_word(text, program, command, append_word);
	for (const struct command_option *own = command->options; own && own->name; own++) {
		text_printf(text, "complete -c %s -n '__%s_at \"%s\"'", program->name, program->name,
		            command->name);
		append_rest(text, program, own->name, own->value, own->help);
	}
}

/* A command of two words is found by its first one too. */
static void append_names(struct text *text, const struct program *program)
{
	text_append(text, "    set -l commands");
	for (size_t i = 0; i < program->command_count; i++) {
		const char *name = program->commands[i].name;

		if (strchr(name, ' ') && !complete_is_repeated(program, i))
			text_printf(text, " %.*s", (int)strcspn(name, " "), name);
		text_printf(text, " '%s'", name);
	}
	text_append_char(text, '\n');
}

/* The options whose values are no words: those of all commands, and `COMMAND --NAME`. */
static void append_valued(struct text *text, const struct program *program)
{
	text_append(text, "    set -l common");
	for (size_t i = 0; i < program->option_count; i++) {
		const struct program_option *option = &program->options[i];

		if (option->value && option->letter)
			text_printf(text, " -%c", option->letter);
		if (option->value)
			text_printf(text, " --%s", option->name);
	}
	text_append(text, "\n    set -l valued");
	for (size_t i = 0; i < program->command_count; i++) {
		const struct command_option *own = program->commands[i].options;

		for (; own && own->name; own++)
			if (own->value)
				text_printf(text, " '%s --%s'", program->commands[i].name, own->name);
	}
	text_append_char(text, '\n');
}

static void append_functions(struct text *text, const struct program *program)
{
	complete_append_script(text, program, names);
	complete_append_script(text, program, walk_head);
	append_valued(text, program);
	append_names(text, program);
	complete_append_script(text, program, walk);
}

void complete_fish(struct text *script, const struct program *program)
{
	complete_append_script(script, program, head);
	if (program->command_count > 0)
		append_functions(script, program);
	for (size_t i = 0; i < program->option_count; i++)
		append_option(script, program, &program->options[i]);
	for (size_t i = 0; i < program->command_count; i++) {
		append_name(script, program, i);
		append_command(script, program, &program->commands[i]);
	}
}
