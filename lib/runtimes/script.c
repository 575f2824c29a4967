/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtimes/script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

/* What stays for the runtime's name: a dot and the digest follow it. */
#define PREFIX_MAX (SCRIPT_NAME_MAX - DIGEST_LENGTH - 1)

void script_quote(struct text *text, const char *string)
{
	text_append_char(text, '\'');
	while (*string) {
		size_t plain = strcspn(string, "'");

		text_append_n(text, string, plain);
		string += plain;
		/* Nothing can be escaped within single quotes: end them, an escaped quote, begin again. */
		if (*string) {
			text_append(text, "'\\''");
			string++;
		}
	}
	text_append_char(text, '\'');
}

/*
 * The shells do not agree on a command that begins with a dash: bash takes it for options of exec, and dash
 * takes the `--` that would end them for the command. So it gets something in front of it: "./", or the
 * directory of PATH where it is.
 */
static void append_command(struct text *text, const char *path)
{
	if (path[0] != '-') {
		script_quote(text, path);
	} else if (strchr(path, '/')) {
		text_append(text, "./");
		script_quote(text, path);
	} else {
		text_append(text, "\"$(command -v -- ");
		script_quote(text, path);
		text_append(text, ")\"");
	}
}

static void append_content(struct text *text, const char *path, const char *const *args, size_t arg_count)
{
	text_append(text, "#!/bin/sh\nexec ");
	append_command(text, path);
	for (size_t i = 0; i < arg_count; i++) {
		text_append_char(text, ' ');
		script_quote(text, args[i]);
	}
	text_append(text, " \"$@\"\n");
}

static bool is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-';
}

/* Percent-encodes as much of `runtime_name` as fits, never a part of a %XX. Returns the length. */
static size_t encode_name(const char *runtime_name, char *to)
{
	size_t length = 0;

	for (const char *c = runtime_name; *c; c++) {
		/* A leading dot would hide the file, and make it look like a temporary one. */
		bool plain = is_plain(*c) && !(c == runtime_name && *c == '.');

		if (length + (plain ? 1 : 3) > PREFIX_MAX)
			break;
		if (plain)
			to[length++] = *c;
		else
			length += (size_t)snprintf(to + length, 4, "%%%02X", (unsigned char)*c);
	}
	return length;
}

int script_init(struct script *script, const char *runtime_name, const char *path, const char *const *args,
                size_t arg_count)
{
	_cleanup_text_ struct text text = {0};
	struct script made = {0};
	size_t prefix;

	append_content(&text, path, args, arg_count);
	made.length = text.length;
	made.content = text_steal(&text);
	if (!made.content)
		return -ENOMEM;
	prefix = encode_name(runtime_name, made.name);
	made.name[prefix] = '.';
	digest_hex(made.content, made.length, made.name + prefix + 1);
	*script = made;
	return 0;
}

void script_fini(struct script *script)
{
	free(script->content);
	*script = (struct script){0};
}

void script_list_fini(struct script_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		script_fini(&list->scripts[i]);
	free(list->scripts);
	*list = (struct script_list){0};
}
