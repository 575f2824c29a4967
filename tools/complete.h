/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scripts with which shells complete the command line of a program, made from its tables. What completes a word
 * follows from what the table calls it: see complete_append_kind().
 */
#ifndef RTREG_TOOLS_COMPLETE_H
#define RTREG_TOOLS_COMPLETE_H

#include "base/text.h"
#include "commands.h"

/* An option that belongs to no command. */
struct program_option {
	char letter;      /* '\0': none */
	bool before_only; /* only in front of a command */
	const char *name, *value, *help;
};

struct program {
	const char *name;
	const struct program_option *options;
	size_t option_count;
	/* a program without any may be rtregd; NAME and CONTAINER are then nothing known */
	const struct command *commands;
	size_t command_count;
};

/* Writes the script for `shell` (bash, zsh, fish); false if it is another. The text is `failed` without memory. */
bool complete_write(const char *shell, struct text *script, const struct program *program);

/* What it calls for each: */
void complete_bash(struct text *script, const struct program *program);
void complete_zsh(struct text *script, const struct program *program);
void complete_fish(struct text *script, const struct program *program);

/* What the three share: */

/*
 * Appends what completes a word that the tables call `word`: `files` (FILE, PATH, SOCKET), `directories` (DIR),
 * `runtimes` (NAME), `containers` (CONTAINER), words separated by `|` for a word of that form and for COMMAND, else `-`. Brackets and
 * trailing dots do not matter.
 */
void complete_append_kind(struct text *text, const struct program *program, const char *word, size_t length);

/* Calls `each` for each word that `command` takes, up to its first option. */
typedef void (*complete_word_fn)(struct text *text, const struct program *program,
                                 const struct command *command, const char *word, size_t length,
                                 size_t index);
void complete_each_word(struct text *text, const struct program *program, const struct command *command,
                        complete_word_fn each);

/* Whether an earlier command begins with the same word as the one at `index`. */
bool complete_is_repeated(const struct program *program, size_t index);
/* Appends the words that can follow `first` ("": the first words of all commands), separated by `|`. */
void complete_append_commands(struct text *text, const struct program *program, const char *first);

/* Appends `string` between single quotes; `quote` is what stands for one in it. */
void complete_quote(struct text *text, const char *string, const char *quote);
/* Appends `script` with the program's name in place of PROGRAM. */
void complete_append_script(struct text *text, const struct program *program, const char *script);

#endif
