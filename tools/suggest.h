/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_TOOLS_SUGGEST_H
#define RTREG_TOOLS_SUGGEST_H

#include <stddef.h>

/*
 * Whether `name` may be what somebody meant who typed `word`: 0 if not, else the likelier the higher. Counts
 * inserted, missing, wrong and swapped letters; a word that `name` begins with is likely too.
 */
unsigned suggest_score(const char *word, const char *name);

#endif
