/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The script for bash: a table, `case` by command, and the walk over the words in front of the cursor. Nothing of
 * what a person has typed or the daemon has told is ever evaluated: no `eval`, no `compgen -W`.
 */
#include <string.h>

#include "complete.h"

static const char head[] =
        "# bash completion for PROGRAM. Made from its tables when it was built.\n"
        "# shellcheck shell=bash\n"
        "\n"
        "# What follows a command: the kinds of its words, and its options, with the kinds of their values.\n"
        "_PROGRAM_table()\n"
        "{\n"
        "\tcase $1 in\n";

static const char offer[] = "\t*) return 1 ;;\n"
                            "\tesac\n"
                            "}\n"
                            "\n"
                            "# Those of its arguments that begin like the word.\n"
                            "_PROGRAM_offer()\n"
                            "{\n"
                            "\tlocal candidate\n"
                            "\tfor candidate in \"$@\"; do\n"
                            "\t\t[[ $candidate != \"$word\"* ]] || COMPREPLY+=(\"$prefix$candidate\")\n"
                            "\tdone\n"
                            "}\n"
                            "\n"
                            "# The kind of an option's value; fails if it has none.\n"
                            "_PROGRAM_value()\n"
                            "{\n"
                            "\tlocal option\n"
                            "\tfor option in \"${options[@]}\"; do\n"
                            "\t\t[[ $option != \"$1=\"* ]] || { kind=${option#*=} && return; }\n"
                            "\tdone\n"
                            "\treturn 1\n"
                            "}\n"
                            "\n";

static const char names[] =
        "# Runtimes (names) or containers of the daemon; the first may be called anything: quoted as the "
        "word is.\n"
        "_PROGRAM_names()\n"
        "{\n"
        "\tlocal name which=$1 socket=$2 where=()\n"
        "\t# the value as typed: what a shell would change in it is not known here\n"
        "\t[[ -z $socket ]] || where=(-s \"$socket\")\n"
        "\t[[ $socket =~ ^[A-Za-z0-9_./-]*$ ]] || return 0\n"
        "\twhile IFS= read -r name; do\n"
        "\t\tcase $word in\n"
        "\t\t\\'*) [[ $name == *\\'* || $name != \"${word#?}\"* ]] || COMPREPLY+=(\"$name\") ;;\n"
        "\t\t\\\"*) [[ $name == *[\\\"\\$\\`\\\\!]* || $name != \"${word#?}\"* ]] || COMPREPLY+=(\"$name\") "
        ";;\n"
        "\t\t*)\n"
        "\t\t\tprintf -v name %q \"$name\"\n"
        "\t\t\tname=${name//=/\\\\=} name=${name//:/\\\\:} name=${name//@/\\\\@} # would end a word\n"
        "\t\t\t_PROGRAM_offer \"$name\"\n"
        "\t\t\t;;\n"
        "\t\tesac\n"
        "\tdone < <(command PROGRAM --timeout 2 \"${where[@]}\" completion \"$which\" 2>/dev/null "
        "</dev/null)\n"
        "}\n"
        "\n";

static const char no_names[] = "_PROGRAM_names() { :; }\n\n";

static const char walk[] =
        "_PROGRAM()\n"
        "{\n"
        "\tlocal word=${COMP_WORDS[COMP_CWORD]-} prefix='' command='' kind='' pending='' socket='' ended=''\n"
        "\tlocal before options=() words=() choices=() count=0\n"
        "\tCOMPREPLY=()\n"
        "\t_PROGRAM_table ''\n"
        "\tfor before in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "\t\tif [[ $before == '=' ]]; then\n"
        "\t\t\tcontinue # between an option and its value\n"
        "\t\telif [[ $pending ]]; then\n"
        "\t\t\t[[ $pending != @(-s|--socket) ]] || socket=$before\n"
        "\t\t\tpending=''\n"
        "\t\telif [[ $before == -- ]]; then\n"
        "\t\t\tended=yes\n"
        "\t\telif [[ $before == -* && ! $ended ]]; then\n"
        "\t\t\t! _PROGRAM_value \"$before\" || pending=$before\n"
        "\t\telif _PROGRAM_table \"${command:+$command }$before\"; then\n"
        "\t\t\tcommand=${command:+$command }$before count=0\n"
        "\t\telse\n"
        "\t\t\t((++count))\n"
        "\t\tfi\n"
        "\tdone\n"
        "\t[[ $word != '=' ]] || word=''\n"
        "\tif [[ $pending ]]; then\n"
        "\t\t_PROGRAM_value \"$pending\"\n"
        "\telif [[ $word == --*=* && ! $ended ]]; then\n"
        "\t\tprefix=${word%%=*}= word=${word#*=}\n"
        "\t\t_PROGRAM_value \"${prefix%=}\" || return 0\n"
        "\telif [[ $word == -* && ! $ended ]]; then\n"
        "\t\t_PROGRAM_offer \"${options[@]%%=*}\"\n"
        "\t\treturn 0\n"
        "\telse\n"
        "\t\tkind=${words[count]--}\n"
        "\tfi\n"
        "\tcase $kind in\n"
        "\t-) ;;\n"
        "\tfiles) compopt -o default ;;\n"
        "\tdirectories) compopt -o dirnames ;;\n"
        "\truntimes) _PROGRAM_names names \"$socket\" ;;\n"
        "\tcontainers) _PROGRAM_names containers \"$socket\" ;;\n"
        "\t*)\n"
        "\t\tIFS='|' read -ra choices <<<\"$kind\"\n"
        "\t\t_PROGRAM_offer \"${choices[@]}\"\n"
        "\t\t;;\n"
        "\tesac\n"
        "}\n"
        "\n"
        "complete -F _PROGRAM PROGRAM\n";

static void append_option(struct text *text, const struct program *program, char letter, const char *name,
                          const char *value)
{
	_cleanup_text_ struct text kind = {0};

	if (value) {
		text_append_char(&kind, '=');
		complete_append_kind(&kind, program, value, strlen(value));
	}
	if (letter)
		text_printf(text, "'-%c%s' ", letter, text_string(&kind));
	text_printf(text, "'--%s%s' ", name, text_string(&kind));
	text->failed = text->failed || kind.failed;
}

static void append_options(struct text *text, const struct program *program, const struct command *command,
                           bool before)
{
	text_append(text, "\t\toptions=( ");
	for (const struct command_option *own = command ? command->options : NULL; own && own->name; own++)
		append_option(text, program, '\0', own->name, own->value);
	for (size_t i = 0; i < program->option_count; i++) {
		const struct program_option *option = &program->options[i];

		if (before || !option->before_only)
			append_option(text, program, option->letter, option->name, option->value);
	}
	text_append(text, ")\n\t\t;;\n");
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
	text_printf(text, "\t'%s')\n\t\twords=(", command->name);
	complete_each_word(text, program, command, append_word);
	text_append(text, ")\n");
	append_options(text, program, command, false);
}

/* The first word of commands of two, or "" for what may begin a command. */
static void append_first(struct text *text, const struct program *program, const char *first)
{
	text_printf(text, "\t'%s')\n\t\twords=(", first);
	if (program->command_count > 0) {
		text_append_char(text, '\'');
		complete_append_commands(text, program, first);
		text_append_char(text, '\'');
	}
	text_append(text, ")\n");
	append_options(text, program, NULL, !*first);
}

void complete_bash(struct text *script, const struct program *program)
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
	complete_append_script(script, program, offer);
	complete_append_script(script, program, program->command_count > 0 ? names : no_names);
	complete_append_script(script, program, walk);
}
