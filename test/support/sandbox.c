/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	abort();
}

void sandbox_init(struct sandbox *sandbox)
{
	memset(sandbox, 0, sizeof(*sandbox));
	strcpy(sandbox->directory, "/tmp/rtreg-test.XXXXXX");
	must(mkdtemp(sandbox->directory) != NULL, "mkdtemp");
	snprintf(sandbox->config, sizeof(sandbox->config), "%s/daemon.json", sandbox->directory);
	snprintf(sandbox->state, sizeof(sandbox->state), "%s/state", sandbox->directory);
	snprintf(sandbox->exec_root, sizeof(sandbox->exec_root), "%s/exec", sandbox->directory);
	sandbox->options.config_file = sandbox->config;
	sandbox->options.state_dir = sandbox->state;
	sandbox->options.exec_root = sandbox->exec_root;
	sandbox_write(sandbox, "{}");
}

void sandbox_write(struct sandbox *sandbox, const char *format, ...)
{
	char temporary[160];
	va_list args;
	FILE *file;

	snprintf(temporary, sizeof(temporary), "%s.new", sandbox->config);
	file = fopen(temporary, "we");
	must(file != NULL, temporary);
	va_start(args, format);
	must(vfprintf(file, format, args) >= 0, "vfprintf");
	va_end(args);
	must(fclose(file) == 0, "fclose");
	must(rename(temporary, sandbox->config) == 0, "rename");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void sandbox_fini(struct sandbox *sandbox)
{
	nftw(sandbox->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
