/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "bench/goals.h"
#include "bench/output.h"
#include "display.h"
#include "terminal.h"

#define NAME_WIDTH     22 /* of names in the help */
#define OPTIONS_MAX    16
#define ROUNDS_MAX     100000
#define SECONDS_MAX    100000
#define RUNTIMES_MAX   1000000
#define BATCHES_MAX    4096
#define READERS_MAX    1024
#define SHORT_ROUNDS   9
#define SHORT_SECONDS  1
#define NORMAL_ROUNDS  101
#define NORMAL_SECONDS 10

/* How to print, and what to do besides. */
struct wishes {
	bool json, markdown;
	const char *plot;
	double check; /* 0: do not */
};

void bench_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	display_message(stderr, "rtreg-bench: ", format, args);
	va_end(args);
}

void bench_detail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	display_message(stderr, "  ", format, args);
	va_end(args);
}

/* --- help --- */

static void print_options(void)
{
	puts("\nOptions:");
	for (size_t i = 0; i < bench_option_count; i++) {
		const struct bench_option *option = &bench_options[i];
		char name[64];

		snprintf(name, sizeof(name), "%s--%s%s%s", bench_letter(option) ? "-h, " : "    ",
		         option->name, option->value ? " " : "", option->value ? option->value : "");
		printf("  %-*s%s\n", NAME_WIDTH, name, option->help);
	}
}

static void print_help(FILE *stream)
{
	fputs("Usage: rtreg-bench SUBCOMMAND [OPTIONS]\n\n"
	      "Measures rtreg against the alternatives, all in the same run.\n\n"
	      "Subcommands:\n",
	      stream);
	for (size_t i = 0; i < subcommand_count; i++)
		fprintf(stream, "  %-*s%s\n", NAME_WIDTH, subcommands[i].name, subcommands[i].help);
	if (stream == stdout)
		print_options();
	fputs("\nA ratio is printed only where it is larger than the noise. Exit codes: 0 done;\n"
	      "1 it could not measure, or a goal was missed by more than --check allows; 2 wrong\n"
	      "usage.\n\n'rtreg-bench SUBCOMMAND --help' explains one. The manual: rtreg-bench(1).\n",
	      stream);
}

static void print_goals(const struct subcommand *subcommand)
{
	const char *head = "\nGoals:\n";

	for (size_t i = 0; i < goal_count; i++) {
		_cleanup_text_ struct text text = {0};

		if (strcmp(goals[i].subcommand, subcommand->name) != 0)
			continue;
		goal_describe(&text, &goals[i]);
		printf("%s  %-*s%s\n", head, NAME_WIDTH, goals[i].id, text_string(&text));
		head = "";
	}
}

static void print_subcommand_help(const struct subcommand *subcommand)
{
	printf("Usage: rtreg-bench %s [OPTIONS]\n\n%s\n", subcommand->name, subcommand->help);
	print_options();
	print_goals(subcommand);
	if (subcommand->notes)
		printf("\n%s\n", subcommand->notes);
}

/* --- options --- */

static bool take_number(const char *name, const char *text, double least, double most, double *ret)
{
	char *end;
	const double number = strtod(text, &end);

	if (end == text || *end || !isfinite(number) || number < least || number > most) {
		bench_say("--%s wants a number from %g to %g, not \"%s\"", name, least, most, text);
		return false;
	}
	*ret = number;
	return true;
}

static bool take_count(const char *name, const char *text, size_t most, size_t *ret)
{
	double number;

	if (!take_number(name, text, 1, (double)most, &number))
		return false;
	if (number != floor(number)) {
		bench_say("--%s wants a whole number, not \"%s\"", name, text);
		return false;
	}
	*ret = (size_t)number;
	return true;
}

static bool take_readers(const char *text, unsigned *ret)
{
	size_t readers;

	if (!take_count("readers", text, READERS_MAX, &readers))
		return false;
	*ret = (unsigned)readers;
	return true;
}

/* False if its value is wrong, which is said. */
static bool take_option(struct bench *bench, struct wishes *wishes, int option, const char *value)
{
	switch (option) {
	case OPTION_JSON:
		return wishes->json = true;
	case OPTION_MARKDOWN:
		return wishes->markdown = true;
	case OPTION_PLOT:
		wishes->plot = value;
		return true;
	case OPTION_CHECK:
		return take_number("check", value, 1, 1000, &wishes->check);
	case OPTION_ROUNDS:
		return take_count("rounds", value, ROUNDS_MAX, &bench->rounds);
	case OPTION_SECONDS:
		return take_number("seconds", value, 0.01, SECONDS_MAX, &bench->seconds);
	case OPTION_BATCHES:
		return take_count("batches", value, BATCHES_MAX, &bench->batches);
	case OPTION_SHORT:
		return bench->short_form = true;
	case OPTION_READERS:
		return take_readers(value, &bench->readers);
	case OPTION_RUNTIMES:
		return bench->runtimes_given = take_count("runtimes", value, RUNTIMES_MAX, &bench->runtimes);
	case OPTION_CASE:
		bench->case_match = value;
		return true;
	default:
		return false; /* getopt has said what is wrong */
	}
}

static void fill_options(struct option ret[static OPTIONS_MAX])
{
	for (size_t i = 0; i < bench_option_count && i + 1 < OPTIONS_MAX; i++)
		ret[i] = (struct option){
		        .name = bench_options[i].name,
		        .has_arg = bench_options[i].value ? required_argument : no_argument,
		        .val = (int)bench_options[i].id,
		};
}

/* Words and options may stand in any order. Returns -1 to go on, or an exit code. */
static int parse(int argc, char **argv, struct bench *bench, struct wishes *wishes, bool *ret_help)
{
	struct option options[OPTIONS_MAX] = {0};
	int option;

	fill_options(options);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == OPTION_VERSION) {
			puts("rtreg-bench " RTREG_VERSION);
			return BENCH_DONE;
		}
		if (option == OPTION_HELP) {
			*ret_help = true;
		} else if (!take_option(bench, wishes, option, optarg)) {
			bench_detail("'rtreg-bench --help' explains the options");
			return BENCH_USAGE;
		}
	}
	return -1;
}

static void settle(struct bench *bench)
{
	if (!bench->rounds)
		bench->rounds = bench->short_form ? SHORT_ROUNDS : NORMAL_ROUNDS;
	if (bench->seconds <= 0)
		bench->seconds = bench->short_form ? SHORT_SECONDS : NORMAL_SECONDS;
	if (!bench->readers)
		bench->readers = bench->processors;
}

static const struct subcommand *find_subcommand(const char *name)
{
	struct suggestion near = {.name = name};

	for (size_t i = 0; i < subcommand_count; i++) {
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
		suggest_offer(&near, subcommands[i].name);
	}
	bench_say("unknown subcommand \"%s\"", name);
	if (near.nearest)
		bench_detail("did you mean \"%s\"?", near.nearest);
	else
		bench_detail("'rtreg-bench --help' lists the subcommands");
	return NULL;
}

/* --- the run, and what becomes of it --- */

static void warn_of_processors(const struct bench *bench)
{
	if (bench->readers > bench->processors)
		bench_say("%u threads on %u processors: they share them, and their figures with more "
		          "threads than processors tell of the scheduler",
		          bench->readers, bench->processors);
}

static int print_results(const struct bench *bench, const struct wishes *wishes)
{
	_cleanup_text_ struct text text = {0};
	const int r =
	        wishes->json ? output_json(&text, bench) : output_tables(&text, bench, wishes->markdown);

	if (r < 0 || text.failed)
		return -ENOMEM;
	fputs(text_string(&text), stdout);
	return fflush(stdout) == 0 ? 0 : -errno;
}

static void filep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static int write_chart(const struct bench *bench, const char *path)
{
	_cleanup_text_ struct text text = {0};
	_cleanup_(filep) FILE *file = NULL;
	const int r = output_chart(&text, bench);

	if (r < 0 || text.failed)
		return -ENOMEM;
	file = fopen(path, "we");
	if (!file || fputs(text_string(&text), file) == EOF || fflush(file) != 0)
		return -errno;
	return 0;
}

/* Says which goals are missed by more than `factor`; false if any is. */
static bool check_goals(const struct bench *bench, double factor)
{
	struct judgement judgement;
	bool good = true;

	for (size_t i = 0; i < goal_count; i++) {
		if (goal_judge(bench, &goals[i], &judgement) < 0 || judgement.factor <= factor)
			continue;
		bench_say("the goal %s is missed by a factor of %.2f", goals[i].id, judgement.factor);
		good = false;
	}
	return good;
}

static int report(const struct bench *bench, const struct wishes *wishes)
{
	int r = print_results(bench, wishes);

	if (r < 0) {
		bench_say("cannot write the results: %s", strerror(-r));
		return BENCH_FAILED;
	}
	r = wishes->plot ? write_chart(bench, wishes->plot) : 0;
	if (r < 0) {
		bench_say("cannot write %s: %s", wishes->plot, strerror(-r));
		return BENCH_FAILED;
	}
	return wishes->check > 0 && !check_goals(bench, wishes->check) ? BENCH_FAILED : BENCH_DONE;
}

static int measure(struct bench *bench, const struct wishes *wishes)
{
	struct rtreg_error error = {0};
	int code = BENCH_FAILED, r = bench->subcommand->open(bench, &error);

	if (r < 0) {
		bench_say("cannot begin: %s", *error.message ? error.message : strerror(-r));
	} else {
		warn_of_processors(bench);
		bench_choose(bench);
		if (bench->count == 0)
			bench_say("no case has \"%s\" in its name", bench->case_match);
		else if (bench_run(bench) == 0)
			code = report(bench, wishes);
	}
	rtreg_error_fini(&error);
	bench->subcommand->close(bench);
	bench_fini(bench);
	return code;
}

static int run_subcommand(int argc, char **argv, struct bench *bench, const struct wishes *wishes, bool help)
{
	if (argc == 0 && help) {
		print_help(stdout);
		return BENCH_DONE;
	}
	if (argc == 0) {
		print_help(stderr);
		return BENCH_USAGE;
	}
	bench->subcommand = find_subcommand(argv[0]);
	if (!bench->subcommand)
		return BENCH_USAGE;
	if (help) {
		print_subcommand_help(bench->subcommand);
		return BENCH_DONE;
	}
	if (argc > 1) {
		bench_say("%s does not want \"%s\"", argv[0], argv[1]);
		return BENCH_USAGE;
	}
	settle(bench);
	return measure(bench, wishes);
}

int bench_main(int argc, char **argv)
{
	static char name[] = "rtreg-bench"; /* what getopt calls us */
	struct bench bench = {.runtimes = 64};
	struct wishes wishes = {0};
	bool help = false;
	int code;

	display_init();
	terminal_init();
	if (argc < 1)
		return BENCH_USAGE;
	argv[0] = name;
	bench_find_processors(&bench);
	code = parse(argc, argv, &bench, &wishes, &help);
	if (code < 0)
		code = run_subcommand(argc - optind, argv + optind, &bench, &wishes, help);
	if (fflush(stdout) != 0 && code == BENCH_DONE)
		return BENCH_FAILED;
	return code;
}
