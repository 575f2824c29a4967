/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "Did you mean …?": the nearest of a number of known names to one that is not known. Case, and `_` for `-`,
 * do not count as differences; two letters changed round count as one. A name that is
 * the beginning of a known one is near too. Used for keys, flags and commands.
 */
#ifndef RTREG_BASE_SUGGEST_H
#define RTREG_BASE_SUGGEST_H

#include <stddef.h>

/* Begin with `{.name = name}`, offer the candidates, then look at `nearest`: NULL if none is near enough. */
struct suggestion {
	const char *name;
	const char *nearest; /* one of the candidates, not copied */
	size_t distance;     /* of `nearest` */
};

/* Takes a candidate if it is nearer than those before it. NULL is passed over. */
void suggest_offer(struct suggestion *suggestion, const char *candidate);
/* The same for an array. */
const char *suggest_nearest(const char *name, const char *const *candidates, size_t count);

#endif
