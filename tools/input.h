/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_TOOLS_INPUT_H
#define RTREG_TOOLS_INPUT_H

#include "base/text.h"

#define INPUT_SIZE_MAX ((size_t)16 * 1024 * 1024) /* CONTRACT C12 */

/*
 * Reads a configuration: a file, or stdin where `file` is "-". An empty one becomes `{}`, because a request
 * without a body would mean the daemon's own files. Returns the exit code; what fails is said.
 */
int input_load(const char *file, struct text *ret_text);

#endif
