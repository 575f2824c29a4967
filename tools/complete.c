/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "complete.h"

#include <string.h>

static const struct {
	const char *name;
	void (*write)(struct text *script, const struct program *program);
} shells[] = {
        {"bash", complete_bash},
        {"zsh", complete_zsh},
        {"fish", complete_fish},
};

bool complete_write(const char *shell, struct text *script, const struct program *program)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].write(script, program);
			return true;
		}
	return false;
}

static const struct {
	const char *word, *kind;
	bool asks; /* the daemon */
} kinds[] = {
        {"FILE", "files", false},      {"PATH", "files", false},          {"P", "files", false},
        {"SOCKET", "files", false},    {"NAME", "runtimes", true},        {"RUNTIME", "runtimes", true},
        {"DIR", "directories", false}, {"CONTAINER", "containers", true},
};

static bool equals(const char *word, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(word, name, length) == 0;
}

/* Words to choose from, in the form `text|json`. */
static bool is_choice(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(word[i] >= 'a' && word[i] <= 'z') && word[i] != '-' && word[i] != '|')
			return false;
	return memchr(word, '|', length);
}

void complete_append_kind(struct text *text, const struct program *program, const char *word, size_t length)
{
	while (length > 0 && *word == '[') {
		word++;
		length--;
	}
	while (length > 0 && strchr("].\xe2\x80\xa6", word[length - 1]))
		length--;
	if (is_choice(word, length)) {
		text_append_n(text, word, length);
		return;
	}
	if (equals(word, length, "COMMAND")) {
		complete_append_commands(text, program, "");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if ((program->command_count > 0 || !kinds[i].asks) && equals(word, length, kinds[i].word)) {
			text_append(text, kinds[i].kind);
			return;
		}
	}
	text_append_char(text, '-');
}

void complete_each_word(struct text *text, const struct program *program, const struct command *command,
                        complete_word_fn each)
{
	const char *word = command->arguments;

	for (int i = 0; i < command->words_max && *word; i++) {
		const size_t length = strcspn(word, " ");

		if (word[strspn(word, "[(")] == '-' || *word == '|')
			return;
		each(text, program, command, word, length, (size_t)i);
		word += length + strspn(word + length, " ");
	}
}

bool complete_is_repeated(const struct program *program, size_t index)
{
	const char *name = program->commands[index].name;
	const size_t length = strcspn(name, " ");

	for (size_t i = 0; i < index; i++) {
		const char *other = program->commands[i].name;

		if (strcspn(other, " ") == length && memcmp(other, name, length) == 0)
			return true;
	}
	return false;
}

void complete_append_commands(struct text *text, const struct program *program, const char *first)
{
	const size_t length = strlen(first);
	const char *between = "";

	for (size_t i = 0; i < program->command_count; i++) {
		const char *name = program->commands[i].name;

		if (length > 0 && (strncmp(name, first, length) != 0 || name[length] != ' '))
			continue;
		if (length == 0 && complete_is_repeated(program, i))
			continue;
		name += length > 0 ? length + 1 : 0;
		text_append(text, between);
		text_append_n(text, name, strcspn(name, " "));
		between = "|";
	}
}

void complete_quote(struct text *text, const char *string, const char *quote)
{
	text_append_char(text, '\'');
	for (; *string; string++)
		if (*string == '\'')
			text_append(text, quote);
		else
			text_append_char(text, *string);
	text_append_char(text, '\'');
}

void complete_append_script(struct text *text, const struct program *program, const char *script)
{
	static const char mark[] = "PROGRAM";
	const char *at;

	for (; (at = strstr(script, mark)); script = at + strlen(mark)) {
		text_append_n(text, script, (size_t)(at - script));
		text_append(text, program->name);
	}
	text_append(text, script);
}
