/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtimes/lookup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/problems.h"
#include "base/text.h"

/* 0, or why `file` cannot be executed; *ret_stat tells whether it could not even be looked at. */
static int check_executable(const char *file, bool *ret_stat)
{
	struct stat st;

	*ret_stat = false;
	if (stat(file, &st) < 0) {
		int code = -errno;

		*ret_stat = true;
		return code;
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if ((st.st_mode & 0111) == 0 || faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) < 0)
		return -EACCES;
	return 0;
}

/* The name so that it stays one line, and within double quotes. */
static void append_escaped(struct text *text, const char *name)
{
	for (const char *c = name; *c; c++) {
		if (*c == '"' || *c == '\\')
			text_printf(text, "\\%c", *c);
		else if ((unsigned char)*c < 0x20 || *c == 0x7f)
			text_printf(text, "\\x%02x", (unsigned char)*c);
		else
			text_append_char(text, *c);
	}
}

/* The reference's texts begin in lower case: "permission denied". */
static void append_reason(struct text *text, int code)
{
	const char *reason = fs_error_text(code);

	text_append_char(text, (char)tolower((unsigned char)reason[0]));
	text_append(text, reason + 1);
}

/* `code` 0: nowhere in PATH. */
static int fail(const char *path, int code, bool no_stat, struct rtreg_error *error)
{
	_cleanup_text_ struct text text = {0};
	bool missing = code == 0 || code == -ENOENT || code == -ENOTDIR;

	text_append(&text, "error while looking up the specified runtime path: exec: \"");
	append_escaped(&text, path);
	text_append(&text, "\": ");
	if (no_stat) {
		text_append(&text, "stat ");
		append_escaped(&text, path);
		text_append(&text, ": ");
	}
	if (code == 0)
		text_append(&text, "executable file not found in $PATH");
	else
		append_reason(&text, code);
	if (text.failed)
		return error_no_memory(error);
	return error_set(error, missing ? -ENOENT : -EACCES, path, "%s", text_string(&text));
}

static int found(char *file, char **ret)
{
	if (ret)
		*ret = file;
	else
		free(file);
	return 0;
}

/* -ENOENT: in no directory of PATH. Empty and relative ones would depend on the working directory. */
static int search_path(const char *name, char **ret)
{
	const char *rest = getenv("PATH");

	while (rest && *rest) {
		size_t length = strcspn(rest, ":");
		char *file;
		bool no_stat;

		if (rest[0] == '/') {
			if (asprintf(&file, "%.*s/%s", (int)length, rest, name) < 0)
				return -ENOMEM;
			if (check_executable(file, &no_stat) == 0)
				return found(file, ret);
			free(file);
		}
		rest += length;
		if (*rest == ':')
			rest++;
	}
	return -ENOENT;
}

int lookup_binary(const char *path, char **ret, struct rtreg_error *error)
{
	bool no_stat;
	char *copy;
	int rc;

	if (!strchr(path, '/')) {
		rc = search_path(path, ret);
		if (rc == -ENOMEM)
			return error_no_memory(error);
		return rc < 0 ? fail(path, 0, false, error) : 0;
	}
	rc = check_executable(path, &no_stat);
	if (rc < 0)
		return fail(path, rc, no_stat, error);
	copy = strdup(path);
	return copy ? found(copy, ret) : error_no_memory(error);
}
