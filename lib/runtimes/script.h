/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A wrapper script as a value: its content, and the name made from the runtime's name and the content's
 * SHA-256 (CONTRACT section 5).
 */
#ifndef RTREG_RUNTIMES_SCRIPT_H
#define RTREG_RUNTIMES_SCRIPT_H

#include <stddef.h>

#include "base/text.h"

#define SCRIPT_NAME_MAX 255

struct script {
	char *content; /* malloc'ed, NUL-terminated (and without NUL within) */
	size_t length;
	char name[SCRIPT_NAME_MAX + 1]; /* of the file, without directory */
};

/* Makes the script that executes `path` with `args` and then its own arguments. -ENOMEM. */
int script_init(struct script *script, const char *runtime_name, const char *path, const char *const *args,
                size_t arg_count);
void script_fini(struct script *script);

/* Zeroed is empty. */
struct script_list {
	struct script *scripts;
	size_t count;
};
void script_list_fini(struct script_list *list);

/* Appends `string` quoted for sh, so that any byte but NUL arrives unchanged. */
void script_quote(struct text *text, const char *string);

#endif
