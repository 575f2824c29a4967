/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_DRAFT_ATTRIBUTES_H
#define RTREG_DRAFT_ATTRIBUTES_H

#include "values/settings.h"

/*
 * The attributes of the reload event (CONTRACT section 6), a JSON object of strings; malloc'ed, NULL without
 * memory.
 */
char *attributes_json(const struct settings *settings);

#endif
