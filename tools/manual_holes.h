/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fills the holes of the manual pages (docs/manual/README.md). Without memory the page becomes `failed`. */
#ifndef RTREG_TOOLS_MANUAL_HOLES_H
#define RTREG_TOOLS_MANUAL_HOLES_H

#include "base/text.h"

/* Appends what stands in place of the line `@name@`; false if no hole is called so. */
bool hole_fill(struct text *page, const char *name, size_t length);

/* The holes of rtreg.json(5), which are in a file of their own. */
void hole_keys(struct text *page);
void hole_compatible(struct text *page);

#endif
