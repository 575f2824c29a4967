/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes what is installed beside the programs from their tables; a program of the build, not installed itself.
 *
 *   manual page FILE                   a manual page: FILE (docs/manual/) with its holes filled
 *   manual completion bash|zsh|fish    the script that completes rtregd's command line
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "complete.h"
#include "daemon/options.h"
#include "manual_holes.h"

static void filep(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* A line of the page: itself, or what fills the hole that it is. */
static int append_line(struct text *page, const char *line)
{
	const size_t length = strcspn(line, "\n");

	if (length < 3 || line[0] != '@' || line[length - 1] != '@') {
		text_append(page, line);
		return 0;
	}
	if (hole_fill(page, line + 1, length - 2))
		return 0;
	fprintf(stderr, "manual: there is no hole %.*s\n", (int)length, line);
	return -ENOENT;
}

static int make_page(const char *path, struct text *page)
{
	_cleanup_(filep) FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int rc = 0;

	if (!file)
		return -errno;
	while (rc == 0 && getline(&line, &size, file) >= 0)
		rc = append_line(page, line);
	return rc < 0 ? rc : ferror(file) ? -EIO : 0;
}

static int make_completion(const char *shell, struct text *script)
{
	_cleanup_free_ struct option_info *list = NULL;
	_cleanup_free_ struct program_option *options = NULL;
	struct program program = {.name = "rtregd"};
	int rc = options_list(&list, &program.option_count);

	if (rc < 0)
		return rc;
	options = calloc(program.option_count, sizeof(*options));
	if (!options)
		return -ENOMEM;
	for (size_t i = 0; i < program.option_count; i++)
		options[i] = (struct program_option){
		        .letter = list[i].letter,
		        .name = list[i].name,
		        .value = list[i].argument,
		        .help = list[i].help,
		};
	program.options = options;
	return complete_write(shell, script, &program) ? 0 : -ENOENT;
}

int main(int argc, char *argv[])
{
	_cleanup_text_ struct text made = {0};
	int rc = -EINVAL;

	if (argc == 3 && strcmp(argv[1], "page") == 0)
		rc = make_page(argv[2], &made);
	else if (argc == 3 && strcmp(argv[1], "completion") == 0)
		rc = make_completion(argv[2], &made);
	if (rc == 0 && made.failed)
		rc = -ENOMEM;
	if (rc < 0) {
		fprintf(stderr, "manual: %s\n", strerror(-rc));
		return 1;
	}
	fputs(text_string(&made), stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
