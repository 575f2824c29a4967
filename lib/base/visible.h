/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from outside in messages: a message is one line, whatever stands in a file. */
#ifndef RTREG_BASE_VISIBLE_H
#define RTREG_BASE_VISIBLE_H

#include "base/text.h"

/* Appends `string` with control characters (below 0x20, and 0x7f) as JSON would write them: \n, \u001b. */
void visible_append(struct text *text, const char *string);

/* The same for at most `limit` bytes of it, with "…" where something is left out. */
void visible_append_cut(struct text *text, const char *string, size_t limit);

#endif
