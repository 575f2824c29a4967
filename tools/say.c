/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "display.h"

#define PATIENCE_MS 500

void say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	display_message(stderr, "rtregctl: ", format, args);
	va_end(args);
}

void say_detail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	display_message(stderr, "  ", format, args);
	va_end(args);
}

void say_warning(const char *message)
{
	fputs("warning: ", stderr);
	display_print(stderr, message);
	fputc('\n', stderr);
}

void say_detail_at(const char *where, const char *message)
{
	if (*where && !strstr(message, where))
		say_detail("%s (%s)", message, where);
	else
		say_detail("%s", message);
}

int say_usage(const char *command)
{
	say_detail("'rtregctl %s --help' explains it", command);
	return EXIT_USAGE;
}

int say_no_memory(void)
{
	say_error("out of memory");
	return EXIT_REFUSED;
}

void say_waiting(int64_t *state, int64_t elapsed_ms)
{
	int64_t seconds = elapsed_ms / 1000;

	if (elapsed_ms < PATIENCE_MS || *state == seconds + 1 || !isatty(STDERR_FILENO))
		return;
	*state = seconds + 1;
	if (seconds == 0)
		fputs("\rwaiting for rtregd\xe2\x80\xa6", stderr);
	else
		fprintf(stderr, "\rwaiting for rtregd\xe2\x80\xa6 %lld s", (long long)seconds);
	fflush(stderr);
}

void say_waiting_end(const int64_t *state)
{
	if (*state > 0)
		fputs("\r\033[K", stderr);
}
