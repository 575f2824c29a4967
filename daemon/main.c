/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregd: serves a registry on a unix socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "options.h"
#include "service.h"

enum { EXIT_DONE = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

/* A descriptor 0 to 2 that is closed would be given to the next file or socket, and the log written there. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void print_errors(const struct rtreg_error *error, int result)
{
	fprintf(stderr, "rtregd: %s\n", error->message[0] ? error->message : strerror(-result));
	for (size_t i = 0; error->more && i < error->more->count; i++)
		fprintf(stderr, "rtregd: %s\n", error->more->errors[i].message);
}

static int validate(const struct options *options)
{
	const struct rtreg_options registry = {
	        .config_file = options->config_file,
	        .state_dir = options->state_dir,
	        .flags = options->flags,
	        .flag_count = options->flag_count,
	};
	_cleanup_error_ struct rtreg_error error = {0};
	struct rtreg_report *report = NULL;
	const char *warning;
	int rc;

	rc = rtreg_validate(&registry, NULL, &report, &error);
	if (rc < 0) {
		print_errors(&error, rc);
		return EXIT_BAD;
	}
	for (size_t i = 0; (warning = rtreg_report_warning(report, i)); i++)
		fprintf(stderr, "warning: %s\n", warning);
	rtreg_report_free(report);
	fputs("configuration OK\n", stderr);
	return EXIT_DONE;
}

static int serve(const struct options *options)
{
	_cleanup_error_ struct rtreg_error error = {0};
	int rc = service_run(options, &error);

	if (rc < 0)
		print_errors(&error, rc);
	return rc < 0 ? EXIT_BAD : EXIT_DONE;
}

static int run(const struct options *options)
{
	if (options->help)
		options_print_help(stdout);
	else if (options->version)
		printf("rtregd %s\n", rtreg_version());
	else
		return options->validate ? validate(options) : serve(options);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_BAD;
}

int main(int argc, char *argv[])
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct options options;
	int rc, code;

	fill_standard_descriptors();
	rc = options_parse(argc, argv, &options, &error);
	if (rc < 0) {
		print_errors(&error, rc);
		if (rc == -EINVAL)
			fputs("See 'rtregd --help'.\n", stderr);
		code = rc == -EINVAL ? EXIT_USAGE : EXIT_BAD;
	} else {
		code = run(&options);
	}
	options_fini(&options);
	return code;
}
