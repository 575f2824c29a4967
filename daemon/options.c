/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "base/suggest.h"
#include "base/text.h"
#include "trust.h"
#include "values/keys.h"

#define DEFAULT_SOCKET "/run/rtreg/rtreg.sock"
#define THREADS_MAX    1024
#define HELP_COLUMN    34 /* where the help of an option begins */
#define HELP_END       80

typedef int (*take_fn)(struct options *options, const char *value, struct rtreg_error *error);

/* An option of rtregd's own. `store` for those with a value, else `offset` of the bool that it sets. */
struct own_option {
	const char *name, *argument, *help;
	take_fn store;
	size_t offset;
};

static int take_config_file(struct options *options, const char *value, struct rtreg_error *error)
{
	(void)error;
	options->config_file = value;
	return 0;
}

static int take_state_dir(struct options *options, const char *value, struct rtreg_error *error)
{
	(void)error;
	options->state_dir = value;
	return 0;
}

static int take_socket(struct options *options, const char *value, struct rtreg_error *error)
{
	(void)error;
	options->socket = value;
	return 0;
}

/* A number of nothing but digits of that base; false past `max` too. */
static bool read_number(const char *text, int base, unsigned long max, unsigned long *ret)
{
	const char *digits = base == 8 ? "01234567" : "0123456789";

	if (!*text || strspn(text, digits) != strlen(text) || strlen(text) > 10)
		return false;
	*ret = strtoul(text, NULL, base);
	return *ret <= max;
}

static int take_socket_mode(struct options *options, const char *value, struct rtreg_error *error)
{
	unsigned long mode;

	if (!read_number(value, 8, 0777, &mode))
		return error_set(error, -EINVAL, "",
		                 "invalid --socket-mode: want octal digits like 0660, not '%s'", value);
	options->socket_mode = (mode_t)mode;
	return 0;
}

static int take_group(struct options *options, const char *value, struct rtreg_error *error)
{
	const struct group *group = getgrnam(value);
	unsigned long number;

	if (!group && !read_number(value, 10, NO_GROUP - 1, &number))
		return error_set(error, -EINVAL, "", "invalid --group: there is no group '%s'", value);
	options->group = group ? group->gr_gid : (gid_t)number;
	return 0;
}

static int take_threads(struct options *options, const char *value, struct rtreg_error *error)
{
	unsigned long threads;

	if (!read_number(value, 10, THREADS_MAX, &threads) || threads == 0)
		return error_set(error, -EINVAL, "", "invalid --threads: want 1 to %d, not '%s'", THREADS_MAX,
		                 value);
	options->threads = (unsigned)threads;
	return 0;
}

static const struct own_option own_options[] = {
        {"config-file", "FILE", "configuration file (default " DEFAULT_CONFIG_FILE ")", take_config_file, 0},
        {"state-dir", "DIR", "where state is kept (default " DEFAULT_STATE_DIR ")", take_state_dir, 0},
        {"socket", "PATH", "unix socket to listen at (default " DEFAULT_SOCKET ")", take_socket, 0},
        {"socket-mode", "OCTAL", "mode of the socket (default 0660)", take_socket_mode, 0},
        {"group", "NAME", "group of the socket, whose members may change things", take_group, 0},
        {"threads", "N", "threads that serve requests (default: processors)", take_threads, 0},
        {"no-watch", NULL, "reload only when asked, not when a file changes", NULL,
         offsetof(struct options, no_watch)},
        {"validate", NULL, "check the configuration and exit", NULL, offsetof(struct options, validate)},
        {"version", NULL, "print the version and exit", NULL, offsetof(struct options, version)},
        {"help", NULL, "print this and exit", NULL, offsetof(struct options, help)},
};

static const struct {
	char letter;
	const char *name;
} short_options[] = {{'D', "debug"}, {'h', "help"}, {'v', "version"}};

/* Not inlined: gcc 12 at -O3 compares it with each short option's name, and warns that the two differ. */
__attribute__((noinline)) static const struct own_option *find_own(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
		if (strcmp(own_options[i].name, name) == 0)
			return &own_options[i];
	return NULL;
}

static const struct key_info *find_key(const char *name)
{
	for (size_t i = 0; i < builtin_key_count; i++)
		if (builtin_keys[i].flag && strcmp(builtin_keys[i].flag, name) == 0)
			return &builtin_keys[i];
	return NULL;
}

/* The command line while it is read. */
struct reader {
	char **argv;
	int at, argc;
	struct options *options;
};

/* The value of an option that needs one: behind '=', or the next word. */
static int need_value(struct reader *reader, const char *name, const char **value, struct rtreg_error *error)
{
	if (*value)
		return 0;
	if (reader->at == reader->argc)
		return error_set(error, -EINVAL, "", "flag needs an argument: --%s", name);
	*value = reader->argv[reader->at++];
	return 0;
}

static int take_own(struct reader *reader, const struct own_option *own, const char *value,
                    struct rtreg_error *error)
{
	bool *flag;
	int rc;

	if (own->store) {
		rc = need_value(reader, own->name, &value, error);
		return rc < 0 ? rc : own->store(reader->options, value, error);
	}
	if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return error_set(error, -EINVAL, "", "invalid --%s: want true or false, not '%s'", own->name,
		                 value);
	flag = (bool *)((char *)reader->options + own->offset);
	*flag = !value || strcmp(value, "true") == 0;
	return 0;
}

static int take_key(struct reader *reader, const struct key_info *key, const char *value,
                    struct rtreg_error *error)
{
	struct options *options = reader->options;
	int rc = key->type == KEY_BOOL ? 0 : need_value(reader, key->flag, &value, error);

	if (rc < 0)
		return rc;
	options->flags[options->flag_count++] = (struct rtreg_flag){.name = key->flag, .value = value};
	return 0;
}

/* The option that was probably meant: by a key's name, or by one that is like an option's. */
static const char *suggest(const char *name)
{
	struct suggestion near = {.name = name};

	for (size_t i = 0; i < builtin_key_count; i++)
		if (builtin_keys[i].flag && strcmp(builtin_keys[i].name, name) == 0)
			return builtin_keys[i].flag;
	for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
		suggest_offer(&near, own_options[i].name);
	for (size_t i = 0; i < builtin_key_count; i++)
		suggest_offer(&near, builtin_keys[i].flag);
	return near.nearest;
}

static int unknown_flag(const char *name, struct rtreg_error *error)
{
	const char *meant = suggest(name);

	return meant ? error_set(error, -EINVAL, "", "unknown flag: --%s; did you mean --%s?", name, meant)
	             : error_set(error, -EINVAL, "", "unknown flag: --%s", name);
}

static int take_named(struct reader *reader, const char *name, const char *value, struct rtreg_error *error)
{
	const struct own_option *own = find_own(name);
	const struct key_info *key = own ? NULL : find_key(name);

	if (own)
		return take_own(reader, own, value, error);
	if (key)
		return take_key(reader, key, value, error);
	return unknown_flag(name, error);
}

static int take_long(struct reader *reader, const char *word, struct rtreg_error *error)
{
	const char *equals = strchr(word, '=');
	_cleanup_free_ char *name = equals ? strndup(word, (size_t)(equals - word)) : strdup(word);

	if (!name)
		return error_no_memory(error);
	return take_named(reader, name, equals ? equals + 1 : NULL, error);
}

static int take_short(struct reader *reader, const char *letters, struct rtreg_error *error)
{
	for (; *letters; letters++) {
		const char *name = NULL;
		int rc;

		for (size_t i = 0; i < ARRAY_SIZE(short_options); i++)
			if (short_options[i].letter == *letters)
				name = short_options[i].name;
		if (!name)
			return error_set(error, -EINVAL, "", "unknown shorthand flag: '%c'", *letters);
		rc = take_named(reader, name, NULL, error);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int take_word(struct reader *reader, const char *word, struct rtreg_error *error)
{
	if (strncmp(word, "--", 2) == 0 && word[2])
		return take_long(reader, word + 2, error);
	if (word[0] == '-' && word[1] && word[1] != '-')
		return take_short(reader, word + 1, error);
	return error_set(error, -EINVAL, "", "rtregd takes no arguments, but there is '%s'", word);
}

/* -D counts as several flags in one word ("-DDD"), so the room is counted in characters of such words. */
static size_t flags_possible(int argc, char *argv[])
{
	size_t count = 1;

	for (int i = 1; i < argc; i++)
		count += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) : 1;
	return count;
}

int options_parse(int argc, char *argv[], struct options *options, struct rtreg_error *error)
{
	struct reader reader = {.argv = argv, .at = 1, .argc = argc, .options = options};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int rc = 0;

	*options = (struct options){.socket = DEFAULT_SOCKET, .socket_mode = 0660, .group = NO_GROUP};
	options->threads = processors < 1 ? 1 : processors > THREADS_MAX ? THREADS_MAX : (unsigned)processors;
	options->flags = calloc(flags_possible(argc, argv), sizeof(*options->flags));
	if (!options->flags)
		return error_no_memory(error);
	while (rc == 0 && reader.at < argc)
		rc = take_word(&reader, argv[reader.at++], error);
	return rc;
}

void options_fini(struct options *options)
{
	free(options->flags);
	*options = (struct options){0};
}

static char letter_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(short_options); i++)
		if (strcmp(short_options[i].name, name) == 0)
			return short_options[i].letter;
	return '\0';
}

/* The words of `help` from column HELP_COLUMN to HELP_END. */
static void print_words(FILE *stream, const char *help)
{
	size_t column = HELP_COLUMN;

	while (*help) {
		size_t length = strcspn(help, " ");

		if (column > HELP_COLUMN && column + 1 + length > HELP_END) {
			fprintf(stream, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		}
		column +=
		        (size_t)fprintf(stream, "%s%.*s", column > HELP_COLUMN ? " " : "", (int)length, help);
		help += length + strspn(help + length, " ");
	}
	fputc('\n', stream);
}

static void print_option(FILE *stream, const struct option_info *option)
{
	const char *shown = option->standard;
	_cleanup_text_ struct text help = {0};
	int width = option->letter ? fprintf(stream, "  -%c, --%s", option->letter, option->name)
	                           : fprintf(stream, "      --%s", option->name);

	if (option->argument)
		width += fprintf(stream, " %s", option->argument);
	if (width + 2 > HELP_COLUMN) {
		fputc('\n', stream);
		width = 0;
	}
	fprintf(stream, "%*s", HELP_COLUMN - width, "");
	text_append(&help, option->help);
	if (shown && *shown == '"')
		text_printf(&help, " (default %.*s)", (int)strcspn(shown + 1, "\""), shown + 1);
	else if (shown)
		text_printf(&help, " (default %s)", shown);
	print_words(stream, help.failed ? option->help : text_string(&help));
}

static int compare_names(const void *a, const void *b)
{
	const struct option_info *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct option_info info_of_own(const struct own_option *own)
{
	return (struct option_info){
	        .letter = letter_of(own->name),
	        .name = own->name,
	        .argument = own->argument,
	        .help = own->help,
	};
}

static struct option_info info_of_key(const struct key_info *key)
{
	return (struct option_info){
	        .letter = letter_of(key->flag),
	        .is_key = true,
	        .name = key->flag,
	        .argument = key->type == KEY_BOOL ? NULL : key->argument,
	        .help = key->help,
	        .standard = key->default_json,
	};
}

int options_list(struct option_info **ret_list, size_t *ret_count)
{
	const size_t own_count = ARRAY_SIZE(own_options);
	struct option_info *list = calloc(own_count + builtin_key_count, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	while (count < own_count) {
		list[count] = info_of_own(&own_options[count]);
		count++;
	}
	for (size_t i = 0; i < builtin_key_count; i++)
		if (builtin_keys[i].flag)
			list[count++] = info_of_key(&builtin_keys[i]);
	/* the table of keys has them in the order in which code needs them */
	qsort(list + own_count, count - own_count, sizeof(*list), compare_names);
	*ret_list = list;
	*ret_count = count;
	return 0;
}

static void print_options(FILE *stream, const struct option_info *list, size_t count, bool keys)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].is_key == keys)
			print_option(stream, &list[i]);
}

void options_print_help(FILE *stream)
{
	_cleanup_free_ struct option_info *list = NULL;
	size_t count = 0;

	options_list(&list, &count);
	fputs("Usage: rtregd [OPTIONS]\n\nThe runtime registry's daemon: serves a daemon.json on a unix "
	      "socket. Runs in\nthe foreground and logs to stderr.\n\nOptions:\n",
	      stream);
	print_options(stream, list, count, false);
	fputs("\nKeys of the configuration, each in the file or here, not both. What names one of\n"
	      "several (--label, --dns) may be repeated; what takes no argument takes =false:\n",
	      stream);
	print_options(stream, list, count, true);
	fputs("\nSIGHUP reloads the configuration; SIGTERM and SIGINT stop the daemon.\n"
	      "Exit codes: 0 done, or stopped in order; 1 not started, or the input is bad;\n2 wrong "
	      "usage.\nThe manual: rtregd(8), rtreg.json(5).\n",
	      stream);
}
