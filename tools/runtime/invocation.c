/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/invocation.h"

#include <string.h>

/* One way to read the words of a command. */
struct reading {
	const struct oci_command *command;
	bool unknown_takes_value; /* the word behind it */
	struct invocation *into;  /* what the options say */
	const char *container;
	int operands, unknown;
	bool many;
};

/* A word that begins with a dash, taken apart. */
struct option_word {
	const struct oci_option *option; /* NULL: unknown */
	const char *value;               /* in the same word; NULL: none */
};

/* `-td`, `-bDIR`: letters, up to one that takes a value. */
static struct option_word read_letters(const struct oci_option *const tables[2], const char *letters)
{
	struct option_word found = {0};

	for (; *letters; letters++) {
		found.option = oci_option_find(tables[0], letters, 1);
		if (!found.option)
			found.option = oci_option_find(tables[1], letters, 1);
		if (!found.option)
			break;
		if (found.option->value == VALUE_TAKEN) {
			found.value = letters[1] ? letters + 1 : NULL;
			break;
		}
	}
	return found;
}

/* runc takes one dash or two for any name (Go); crun begun names and letters together (getopt). */
static struct option_word read_option(const struct oci_option *const tables[2], const char *word)
{
	const bool two = word[1] == '-';
	const char *name = word + 1 + two, *equals = strchr(name, '=');
	const size_t length = equals ? (size_t)(equals - name) : strlen(name);
	struct option_word found = {.value = equals ? equals + 1 : NULL};

	for (int i = 0; i < 2 && !found.option; i++)
		found.option = oci_option_find(tables[i], name, length);
	if (found.option)
		return found;
	if (!two)
		return read_letters(tables, name);
	for (int i = 0; i < 2 && !found.option; i++)
		found.option = oci_option_find_begun(tables[i], name, length);
	return found;
}

/* As Go's strconv.ParseBool, of which only the noes matter here. */
static bool is_true(const char *value)
{
	static const char *const noes[] = {"0", "f", "F", "false", "False", "FALSE"};

	for (size_t i = 0; value && i < sizeof(noes) / sizeof(noes[0]); i++)
		if (strcmp(value, noes[i]) == 0)
			return false;
	return true;
}

static void note_global(struct invocation *invocation, enum option_meaning meaning, const char *value)
{
	if (meaning == MEANS_ROOT)
		invocation->root = value;
	else if (meaning == MEANS_LOG)
		invocation->log = value;
	else if (meaning == MEANS_LOG_FORMAT)
		invocation->log_json = value && strcmp(value, "json") == 0;
	else if (meaning == MEANS_VERSION)
		invocation->version = is_true(value);
	else if (meaning == MEANS_HELP)
		invocation->help = is_true(value);
}

static void note_option(struct reading *reading, enum option_meaning meaning, const char *value)
{
	if (meaning == MEANS_BUNDLE)
		reading->into->bundle = value;
	else if (meaning == MEANS_CONFIG)
		reading->into->config = value;
	else if (meaning == MEANS_DETACH)
		reading->into->detach = is_true(value);
	else if (meaning == MEANS_HELP)
		reading->into->command_help = is_true(value);
	else if (meaning == MEANS_MANY)
		reading->many = is_true(value);
}

/* Also "-" alone, and "". */
static bool is_operand(const char *word)
{
	return word[0] != '-' || word[1] == '\0';
}

static void add_operand(struct reading *reading, const char *word)
{
	if (reading->operands++ == 0)
		reading->container = word;
}

/* Returns how many words further the next one is. */
static int read_command_option(struct reading *reading, char *const *words)
{
	const struct oci_option *const tables[2] = {reading->command->options, every_command};
	struct option_word found = read_option(tables, words[0]);
	bool next;

	if (found.option) {
		next = found.option->value == VALUE_TAKEN && !found.value && words[1];
		note_option(reading, found.option->meaning, next ? words[1] : found.value);
		return 1 + next;
	}
	if (strchr(words[0], '='))
		return 1;
	reading->unknown++;
	return reading->unknown_takes_value && words[1] && is_operand(words[1]) ? 2 : 1;
}

static void read_command(struct reading *reading, char *const *words)
{
	bool options = true;

	while (*words) {
		if (options && strcmp(*words, "--") == 0) {
			options = false;
			words++;
		} else if (options && !is_operand(*words)) {
			words += read_command_option(reading, words);
		} else {
			add_operand(reading, *words++);
			if (reading->command->in_order)
				options = false;
		}
	}
}

/* An option that nobody knows here is a word alone first; the other reading is for where that cannot be. */
static void find_container(struct invocation *invocation)
{
	char *const *words = invocation->argv + invocation->command_at + 1;
	struct reading alone = {.command = invocation->command, .into = invocation}, with = alone;

	read_command(&alone, words);
	if (invocation->command->operands == 0 || alone.many || invocation->command_help)
		return;
	invocation->container = alone.container;
	if (alone.unknown == 0)
		return;
	with.unknown_takes_value = true;
	read_command(&with, words);
	if (!with.container || with.container == alone.container)
		return;
	if (alone.operands > invocation->command->operands)
		invocation->container = with.container;
	else
		invocation->other = with.container;
}

/* Whether the word behind an unknown global option is its value: it is no command then. */
static bool takes_next(const char *word, const char *next)
{
	return !strchr(word, '=') && next && is_operand(next) && !oci_command_find(next);
}

static int read_global_option(struct invocation *invocation, char *const *words)
{
	static const struct oci_option *const tables[2] = {global_options, global_options};
	struct option_word found = read_option(tables, words[0]);
	bool next;

	if (!found.option)
		return takes_next(words[0], words[1]) ? 2 : 1;
	next = found.option->value == VALUE_TAKEN && !found.value && words[1];
	note_global(invocation, found.option->meaning, next ? words[1] : found.value);
	return 1 + next;
}

/* runc has help as a command too; with a word behind it the runtime explains that one. */
static bool asks_for_help(const struct invocation *invocation)
{
	const char *word = invocation->argv[invocation->command_at];

	return (strcmp(word, "help") == 0 || strcmp(word, "h") == 0) &&
	       !invocation->argv[invocation->command_at + 1];
}

void invocation_read(struct invocation *ret, int argc, char *argv[])
{
	int at = 1;

	*ret = (struct invocation){.argv = argv, .argc = argc};
	while (at < argc && !is_operand(argv[at])) {
		if (strcmp(argv[at], "--") == 0) {
			at++;
			break;
		}
		at += read_global_option(ret, argv + at);
	}
	if (at >= argc)
		return;
	ret->command_at = at;
	if (asks_for_help(ret)) {
		ret->help = true;
		return;
	}
	ret->command = oci_command_find(argv[at]);
	if (!ret->command)
		ret->command = &unknown_command;
	find_container(ret);
}

bool invocation_is_log(const struct invocation *invocation, int at, bool *ret_joined)
{
	static const struct oci_option *const tables[2] = {global_options, global_options};
	struct option_word found;

	if (is_operand(invocation->argv[at]))
		return false;
	found = read_option(tables, invocation->argv[at]);
	*ret_joined = found.value != NULL;
	return found.option && found.option->meaning == MEANS_LOG;
}
