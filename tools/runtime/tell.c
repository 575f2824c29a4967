/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/tell.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "base/visible.h"

/* A reader that has gone must not end us by a signal. */
static void write_quietly(int fd, const struct text *text)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;

	if (text->failed || sigaction(SIGPIPE, &ignore, &before) < 0)
		return;
	(void)fs_write_all(fd, text->data, text->length);
	sigaction(SIGPIPE, &before, NULL);
}

/* The log's path; NULL: none, or no file. crun's may say what it is: "file:PATH", "journald:NAME". */
static const char *log_path(const char *log)
{
	if (!log || !*log || strncmp(log, "journald:", 9) == 0 || strncmp(log, "syslog:", 7) == 0)
		return NULL;
	return strncmp(log, "file:", 5) == 0 ? log + 5 : log;
}

static void append_line(struct text *line, bool json, const char *level, const char *message)
{
	_cleanup_text_ struct text quoted = {0};
	struct tm now;
	char when[32] = "";
	time_t seconds = time(NULL);

	if (gmtime_r(&seconds, &now))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &now);
	if (json) {
		json_open(line, '{');
		json_member_string(line, "level", level);
		json_member_string(line, "msg", message);
		json_member_string(line, "time", when);
		json_close(line, '}');
	} else {
		json_string(&quoted, message);
		text_printf(line, "time=\"%s\" level=%s msg=%s", when, level, text_string(&quoted));
	}
	text_append_char(line, '\n');
}

/* O_NONBLOCK: a FIFO without a reader would wait for ever. */
static void tell_log(const struct invocation *invocation, const char *level, const char *message)
{
	const char *path = log_path(invocation->log);
	_cleanup_text_ struct text line = {0};
	_cleanup_close_ int fd = -1;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
	if (fd < 0)
		return;
	append_line(&line, invocation->log_json, level, message);
	write_quietly(fd, &line);
}

static void tell(const struct invocation *invocation, const char *level, const char *before,
                 const char *message)
{
	_cleanup_text_ struct text line = {0}, plain = {0};

	visible_append(&plain, message);
	text_printf(&line, "rtreg-runtime: %s%s\n", before, text_string(&plain));
	write_quietly(STDERR_FILENO, &line);
	tell_log(invocation, level, text_string(&plain));
}

void tell_failure(const struct invocation *invocation, const char *message)
{
	tell(invocation, "error", "", message);
}

void tell_warning(const struct invocation *invocation, const char *message)
{
	tell(invocation, "warning", "warning: ", message);
}
