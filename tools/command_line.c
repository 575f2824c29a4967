/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of rtregctl. What is made from the table of commands: the help, the options of each command,
 * the check of its arguments, and the suggestion for a mistyped one.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "command_line.h"
#include "commands.h"
#include "display.h"
#include "say.h"
#include "terminal.h"

#define TIMEOUT_MAX 1000000 /* seconds */
#define NAME_WIDTH  26      /* of names in the help */

enum { OPTION_COMMAND = COMMON_END };

static void print_entry(FILE *stream, const char *name, const char *arguments, const char *help)
{
	int width = fprintf(stream, "  %s%s%s", name, *arguments ? " " : "", arguments);
	bool fits = width <= NAME_WIDTH - 2;

	fprintf(stream, "%s%*s%s\n", fits ? "" : "\n", fits ? NAME_WIDTH - width : NAME_WIDTH, "", help);
}

static void print_common_options(FILE *stream, bool before)
{
	for (size_t i = 0; i < common_option_count; i++) {
		const struct common_option *option = &common_options[i];
		const char letter = common_letter(option);
		char name[64];

		if (option->before_only && !before)
			continue;
		snprintf(name, sizeof(name), letter ? "-%c, --%s" : "%c   --%s", letter ? letter : ' ',
		         option->name);
		print_entry(stream, name, option->value ? option->value : "", option->help);
	}
}

static void print_help(FILE *stream)
{
	fputs("Usage: rtregctl [OPTIONS] COMMAND [ARGUMENTS]\n\n"
	      "Talks to rtregd, the runtime registry of container engines.\n\n"
	      "Commands:\n",
	      stream);
	for (size_t i = 0; i < command_count; i++)
		print_entry(stream, commands[i].name, commands[i].arguments, commands[i].help);
	fputs("\nOptions:\n", stream);
	print_common_options(stream, true);
	fputs("\nExit codes: 0 done; 1 the daemon said no, or the input is bad; 2 wrong usage;\n"
	      "3 no daemon to talk to, no permission or no answer in time; 4 no such runtime or\n"
	      "container.\n"
	      "Colours only on a terminal, and never with NO_COLOR in the environment.\n"
	      "\n'rtregctl COMMAND --help' explains a command. The manual: rtregctl(1).\n",
	      stream);
}

static void print_command_help(const struct command *command)
{
	const struct command_option *option = command->options;

	printf("Usage: rtregctl %s%s%s%s\n\n%s\n\nOptions:\n", command->name, option ? " [OPTIONS]" : "",
	       *command->arguments ? " " : "", command->arguments, command->help);
	for (; option && option->name; option++) {
		char name[64];

		snprintf(name, sizeof(name), "    --%s", option->name);
		print_entry(stdout, name, option->value ? option->value : "", option->help);
	}
	print_common_options(stdout, false);
	if (strstr(command->arguments, "FILE"))
		puts("\nFILE is a whole daemon.json; '-' is the standard input.");
	if (command->notes)
		printf("\n%s\n", command->notes);
}

/* Where the second word of a name of two begins, if the first one is `group`; else NULL. */
static const char *in_group(const struct command *command, const char *group)
{
	size_t length = strlen(group);

	if (strncmp(command->name, group, length) != 0 || command->name[length] != ' ')
		return NULL;
	return command->name + length + 1;
}

static bool is_group(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (in_group(&commands[i], name))
			return true;
	return false;
}

static void print_group_help(FILE *stream, const char *group)
{
	fprintf(stream, "Usage: rtregctl %s COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", group);
	for (size_t i = 0; i < command_count; i++)
		if (in_group(&commands[i], group))
			print_entry(stream, commands[i].name, commands[i].arguments, commands[i].help);
	fprintf(stream, "\n'rtregctl %s COMMAND --help' explains a command.\n", group);
}

/* The command that the words begin with, and how many of them are its name. */
static const struct command *find_command(char *const *words, int count, int *ret_taken)
{
	for (size_t i = 0; i < command_count; i++) {
		const char *second = in_group(&commands[i], words[0]);

		if (second ? count < 2 || strcmp(second, words[1]) != 0
		           : strcmp(commands[i].name, words[0]) != 0)
			continue;
		*ret_taken = second ? 2 : 1;
		return &commands[i];
	}
	return NULL;
}

static void offer_commands(struct suggestion *near)
{
	for (size_t i = 0; i < command_count; i++)
		suggest_offer(near, commands[i].name);
}

/* The first word is a group's, the second none of its commands. */
static int unknown_in_group(const char *group, const char *word)
{
	struct suggestion near = {.name = word};

	for (size_t i = 0; i < command_count; i++)
		suggest_offer(&near, in_group(&commands[i], group));
	say_error("unknown command \"%s %s\"", group, word);
	if (near.nearest)
		say_detail("did you mean \"%s %s\"?", group, near.nearest);
	else
		say_detail("'rtregctl %s --help' lists the commands", group);
	return EXIT_USAGE;
}

static int unknown_command(char *const *words, int count)
{
	_cleanup_text_ struct text both = {0};
	struct suggestion near = {.name = words[0]}, near_both = {0};

	if (is_group(words[0]))
		return unknown_in_group(words[0], words[1]);
	text_append(&both, words[0]);
	if (count > 1 && *words[1] != '-')
		text_printf(&both, " %s", words[1]);
	near_both.name = text_string(&both);
	offer_commands(&near);
	offer_commands(&near_both);
	if (near_both.nearest && !near.nearest)
		near = near_both;
	say_error("unknown command \"%s\"", words[0]);
	if (near.nearest)
		say_detail("did you mean \"%s\"?", near.nearest);
	else
		say_detail("'rtregctl --help' lists the commands");
	return EXIT_USAGE;
}

/* Words that no command's name begins. */
static int run_no_command(char *const *words, int count)
{
	bool wants_help = count > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);

	if (!is_group(words[0]) || (count > 1 && *words[1] != '-'))
		return unknown_command(words, count);
	print_group_help(wants_help ? stdout : stderr, words[0]);
	return wants_help ? EXIT_DONE : EXIT_USAGE;
}

int cmd_help(const struct ctl *ctl, const struct arguments *arguments)
{
	const struct command *command;
	int taken;

	(void)ctl;
	if (arguments->count == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	command = find_command(arguments->words, arguments->count, &taken);
	if (command && taken == arguments->count) {
		print_command_help(command);
		return EXIT_DONE;
	}
	if (arguments->count == 1 && is_group(arguments->words[0])) {
		print_group_help(stdout, arguments->words[0]);
		return EXIT_DONE;
	}
	return unknown_command(arguments->words, arguments->count);
}

static bool parse_timeout(const char *text, int64_t *ret_timeout_ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0.001 || seconds > TIMEOUT_MAX)
		return false;
	*ret_timeout_ms = (int64_t)(seconds * 1000);
	return true;
}

/* One of the options that every command has; false if its value is wrong, which is said. */
static bool take_common_option(struct ctl *ctl, int option, const char *value)
{
	switch (option) {
	case COMMON_SOCKET:
		ctl->socket = value;
		if (!*value)
			say_error("-s wants the path of a socket");
		return *value;
	case COMMON_JSON:
		ctl->json = true;
		return true;
	case COMMON_TIMEOUT:
		if (parse_timeout(value, &ctl->timeout_ms))
			return true;
		say_error("--timeout wants seconds from 0.001 to %d, not \"%s\"", TIMEOUT_MAX, value);
		return false;
	default:
		return false; /* getopt has said what is wrong */
	}
}

static void take_option(struct arguments *arguments, int option, const char *value)
{
	arguments->options[option] = value;
	arguments->given[arguments->given_count++] = (struct given_option){option, value};
}

/* getopt's form of the common options, in `ret_options`. Returns how many they are. */
static size_t fill_common(bool before, struct option *ret_options)
{
	size_t count = 0;

	for (size_t i = 0; i < common_option_count; i++) {
		const struct common_option *option = &common_options[i];

		if (before || !option->before_only)
			ret_options[count++] = (struct option){
			        .name = option->name,
			        .has_arg = option->value ? required_argument : no_argument,
			        .val = (int)option->id,
			};
	}
	return count;
}

/* The words and options behind the command. Returns -1 to go on, or an exit code. */
static int parse_arguments(const struct command *command, int argc, char **argv, struct ctl *ctl,
                           struct arguments *ret_arguments)
{
	struct option options[COMMON_OPTIONS_MAX + COMMAND_OPTIONS_MAX + 1] = {0};
	size_t count = fill_common(false, options);
	int option;

	for (int i = 0; command->options && command->options[i].name; i++)
		options[count++] = (struct option){
		        .name = command->options[i].name,
		        .has_arg = command->options[i].value ? required_argument : no_argument,
		        .val = OPTION_COMMAND + i,
		};
	optind = 0; /* begin anew, permuting this time */
	while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
		if (option >= OPTION_COMMAND) {
			take_option(ret_arguments, option - OPTION_COMMAND, optarg ? optarg : "");
		} else if (option == COMMON_HELP) {
			print_command_help(command);
			return EXIT_DONE;
		} else if (!take_common_option(ctl, option, optarg ? optarg : "")) {
			(void)say_usage(command->name);
			return EXIT_USAGE; /* for the analyzer: never -1 */
		}
	}
	ret_arguments->count = argc - optind;
	ret_arguments->words = argv + optind;
	return -1;
}

static int check_words(const struct command *command, const struct arguments *arguments)
{
	if (arguments->count >= command->words_min && arguments->count <= command->words_max)
		return EXIT_DONE;
	if (arguments->count < command->words_min)
		say_error("%s wants %s", command->name, command->arguments);
	else
		say_error("%s does not want \"%s\"", command->name, arguments->words[command->words_max]);
	return say_usage(command->name);
}

static int run_command(const struct command *command, int argc, char **argv, struct ctl *ctl)
{
	/* no more options than words */
	_cleanup_free_ struct given_option *given = calloc((size_t)argc, sizeof(*given));
	struct arguments arguments = {.given = given};
	int code;

	if (!given)
		return say_no_memory();
	code = parse_arguments(command, argc, argv, ctl, &arguments);
	if (code >= 0)
		return code;
	code = check_words(command, &arguments);
	return code == EXIT_DONE ? command->run(ctl, &arguments) : code;
}

/* The options before the command. Returns -1 to go on with the word at optind, or an exit code. */
static int parse_options(int argc, char **argv, struct ctl *ctl)
{
	struct option options[COMMON_OPTIONS_MAX + 1] = {0};
	int option;

	fill_common(true, options);
	while ((option = getopt_long(argc, argv, "+s:h", options, NULL)) != -1) {
		if (option == COMMON_HELP) {
			print_help(stdout);
			return EXIT_DONE;
		}
		if (option == COMMON_VERSION) {
			puts("rtregctl " RTREG_VERSION);
			return EXIT_DONE;
		}
		if (!take_common_option(ctl, option, optarg ? optarg : "")) {
			say_detail("'rtregctl --help' explains the options");
			return EXIT_USAGE;
		}
	}
	return -1;
}

/* What could not be written was not done. */
static int finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE) /* whoever had read enough knows */
		say_error("cannot write the output: %s", strerror(errno));
	return code == EXIT_DONE ? EXIT_REFUSED : code;
}

/* What is closed would become the connection to the daemon, and be written to. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDONLY);
}

int command_line_run(int argc, char **argv)
{
	static char name[] = "rtregctl"; /* what getopt calls us, wherever we lie */
	const char *socket = getenv("RTREG_SOCKET");
	struct ctl ctl = {.socket = socket && *socket ? socket : DEFAULT_SOCKET, .timeout_ms = 30 * 1000};
	const struct command *command;
	int code, taken;

	keep_standard_descriptors();
	display_init();
	terminal_init();
	if (argc < 1)
		return EXIT_USAGE;
	argv[0] = name;
	code = parse_options(argc, argv, &ctl);
	if (code >= 0)
		return finish(code);
	if (optind >= argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	argc -= optind;
	argv += optind;
	command = find_command(argv, argc, &taken);
	if (!command)
		return finish(run_no_command(argv, argc));
	argc -= taken - 1;
	argv += taken - 1;
	argv[0] = name;
	return finish(run_command(command, argc, argv, &ctl));
}
