/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The script for zsh: as that for bash, with descriptions. An option is `NAME=KIND:HELP`, or `NAME:HELP` without a
 * value. compadd quotes what it adds.
 */
#include <stdio.h>
#include <string.h>

#include "complete.h"

#define QUOTE "'\\''"

static const char head[] =
        "#compdef PROGRAM\n"
        "# zsh completion for PROGRAM. Made from its tables when it was built.\n"
        "\n"
        "# What follows a command: the kinds of its words, or the commands that may, and its options.\n"
        "_PROGRAM_table() {\n"
        "\tcase $1 in\n";

static const char value[] = "\t*) return 1 ;;\n"
                            "\tesac\n"
                            "}\n"
                            "\n"
                            "# The kind of an option's value; fails if it has none.\n"
                            "_PROGRAM_value() {\n"
                            "\tlocal entry\n"
                            "\tfor entry in \"${known[@]}\"; do\n"
                            "\t\t[[ ${entry%%[=:]*} == \"$1\" ]] || continue\n"
                            "\t\t[[ ${entry%%:*} == *=* ]] && kind=${${entry%%:*}#*=} && return\n"
                            "\tdone\n"
                            "\treturn 1\n"
                            "}\n"
                            "\n";

static const char names[] =
        "# Runtimes (names) or containers of the daemon; the first may be called anything: compadd quotes "
        "them.\n"
        "_PROGRAM_names() {\n"
        "\tlocal -a where names\n"
        "\t# the value as typed: what a shell would change in it is not known here\n"
        "\t[[ $socket =~ '^[A-Za-z0-9_./-]*$' ]] || return\n"
        "\t[[ -z $socket ]] || where=(-s \"$socket\")\n"
        "\tnames=(\"${(@f)$(command PROGRAM --timeout 2 \"${where[@]}\" completion \"$1\" 2>/dev/null "
        "</dev/null)}\")\n"
        "\tnames=(\"${(@)names:#}\")\n"
        "\tcompadd -a names\n"
        "}\n"
        "\n";

static const char no_names[] = "_PROGRAM_names() { : }\n\n";

static const char walk[] = "_PROGRAM() {\n"
                           "\tlocal before command='' kind='' pending='' socket='' ended='' entry\n"
                           "\tlocal -a known kinds following shown choices\n"
                           "\tinteger count=0\n"
                           "\t_PROGRAM_table ''\n"
                           "\tfor before in \"${(@)words[2,CURRENT-1]}\"; do\n"
                           "\t\tif [[ -n $pending ]]; then\n"
                           "\t\t\t[[ $pending != (-s|--socket) ]] || socket=$before\n"
                           "\t\t\tpending=''\n"
                           "\t\telif [[ $before == -- ]]; then\n"
                           "\t\t\tended=yes\n"
                           "\t\telif [[ $before == --socket=* && -z $ended ]]; then\n"
                           "\t\t\tsocket=${before#*=}\n"
                           "\t\telif [[ $before == -* && -z $ended ]]; then\n"
                           "\t\t\t_PROGRAM_value \"$before\" && pending=$before\n"
                           "\t\telif _PROGRAM_table \"${command:+$command }$before\"; then\n"
                           "\t\t\tcommand=${command:+$command }$before count=0\n"
                           "\t\telse\n"
                           "\t\t\t(( ++count ))\n"
                           "\t\tfi\n"
                           "\tdone\n"
                           "\tif [[ -n $pending ]]; then\n"
                           "\t\t_PROGRAM_value \"$pending\"\n"
                           "\telif [[ $PREFIX == --*=* && -z $ended ]]; then\n"
                           "\t\t_PROGRAM_value \"${PREFIX%%=*}\" || return\n"
                           "\t\tcompset -P '*='\n"
                           "\telif [[ $PREFIX == -* && -z $ended ]]; then\n"
                           "\t\tfor entry in \"${known[@]}\"; do\n"
                           "\t\t\tshown+=(\"${entry%%[=:]*}:${entry#*:}\")\n"
                           "\t\tdone\n"
                           "\t\t_describe -o option shown\n"
                           "\t\treturn\n"
                           "\telif (( count == 0 && $#following )); then\n"
                           "\t\t_describe command following\n"
                           "\t\treturn\n"
                           "\telse\n"
                           "\t\tkind=${kinds[count+1]:--}\n"
                           "\tfi\n"
                           "\tcase $kind in\n"
                           "\t-) _message 'nothing to complete here' ;;\n"
                           "\tfiles) _files ;;\n"
                           "\tdirectories) _files -/ ;;\n"
                           "\truntimes) _PROGRAM_names names ;;\n"
                           "\tcontainers) _PROGRAM_names containers ;;\n"
                           "\t*) choices=(${(s:|:)kind}); compadd -a choices ;;\n"
                           "\tesac\n"
                           "}\n"
                           "\n"
                           "if [[ $funcstack[1] == _PROGRAM ]]; then\n"
                           "\t_PROGRAM \"$@\"\n"
                           "else\n"
                           "\tcompdef _PROGRAM PROGRAM\n"
                           "fi\n";

static void append_option(struct text *text, const struct program *program, const char *name,
                          const char *argument, const char *help)
{
	_cleanup_text_ struct text entry = {0};

	text_append(&entry, name);
	if (argument) {
		text_append_char(&entry, '=');
		complete_append_kind(&entry, program, argument, strlen(argument));
	}
	text_printf(&entry, ":%s", help);
	text_append(text, "\n\t\t\t");
	complete_quote(text, text_string(&entry), QUOTE);
	text->failed = text->failed || entry.failed;
}

static void append_common(struct text *text, const struct program *program,
                          const struct program_option *option)
{
	char name[64];

	if (option->letter) {
		snprintf(name, sizeof(name), "-%c", option->letter);
		append_option(text, program, name, option->value, option->help);
	}
	snprintf(name, sizeof(name), "--%s", option->name);
	append_option(text, program, name, option->value, option->help);
}

static void append_options(struct text *text, const struct program *program, const struct command *command,
                           bool before)
{
	text_append(text, "\t\tknown=(");
	for (const struct command_option *own = command ? command->options : NULL; own && own->name; own++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", own->name);
		append_option(text, program, name, own->value, own->help);
	}
	for (size_t i = 0; i < program->option_count; i++)
		if (before || !program->options[i].before_only)
			append_common(text, program, &program->options[i]);
	text_append(text, "\n\t\t)\n\t\t;;\n");
}

static void append_word(struct text *text, const struct program *program, const struct command *command,
                        const char *word, size_t length, size_t index)
{
	(void)command;
	text_append(text, index > 0 ? " '" : "'");
	complete_append_kind(text, program, word, length);
	text_append_char(text, '\'');
}

static void append_command(struct text *text, const struct program *program, const struct command *command)
{
	text_printf(text, "\t'%s')\n\t\tfollowing=() kinds=(", command->name);
	complete_each_word(text, program, command, append_word);
	text_append(text, ")\n");
	append_options(text, program, command, false);
}

static void append_following(struct text *text, const char *word, size_t length, const char *help)
{
	_cleanup_text_ struct text entry = {0};

	text_append_n(&entry, word, length);
	text_printf(&entry, ":%s", help);
	text_append(text, "\n\t\t\t");
	complete_quote(text, text_string(&entry), QUOTE);
	text->failed = text->failed || entry.failed;
}

/* The first word of commands of two, or "" for what may begin a command. */
static void append_first(struct text *text, const struct program *program, const char *first)
{
	const size_t skip = *first ? strlen(first) + 1 : 0;

	text_printf(text, "\t'%s')\n\t\tkinds=() following=(", first);
	for (size_t i = 0; i < program->command_count; i++) {
		const struct command *command = &program->commands[i];
		const size_t length = strcspn(command->name, " ");

		if (skip == 0 && !complete_is_repeated(program, i))
			append_following(text, command->name, length, command->help);
		else if (skip == length + 1 && strncmp(command->name, first, length) == 0 &&
		         command->name[length])
			append_following(text, command->name + skip, strlen(command->name + skip),
			                 command->help);
	}
	text_append(text, ")\n");
	append_options(text, program, NULL, !*first);
}

void complete_zsh(struct text *script, const struct program *program)
{
	complete_append_script(script, program, head);
	append_first(script, program, "");
	for (size_t i = 0; i < program->command_count; i++) {
		const char *name = program->commands[i].name;

		if (strchr(name, ' ') && !complete_is_repeated(program, i)) {
			_cleanup_free_ char *first = strndup(name, strcspn(name, " "));

			script->failed = script->failed || !first;
			append_first(script, program, first ? first : name);
		}
		append_command(script, program, &program->commands[i]);
	}
	complete_append_script(script, program, value);
	complete_append_script(script, program, program->command_count > 0 ? names : no_names);
	complete_append_script(script, program, walk);
}
