/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a configuration must satisfy beyond its types: CONTRACT section 4, C30 to C40. Pure functions over
 * settings; each check adds its errors to `problems` (code -EINVAL, where = the key). checks.c holds the
 * table that is their order.
 */
#ifndef RTREG_CHECKS_CHECKS_H
#define RTREG_CHECKS_CHECKS_H

#include "values/settings.h"

/*
 * Runs all checks, in order. The same list for a start and a reload. A value that is unset or empty passes
 * where the contract does not say otherwise.
 */
void checks_run(const struct settings *settings, struct problems *problems);

/* Labels: the same pair twice is kept once. Makes the list of an already checked value; -ENOMEM. */
int labels_unique(struct arena *arena, const struct value *labels, struct value *ret);

/* The derived lists of an already checked configuration (CONTRACT C39, registries). -ENOMEM. */
struct registry_lists {
	struct value mirrors;        /* normalised, without duplicates */
	struct value insecure_cidrs; /* masked networks, ::1/128 and 127.0.0.0/8 first */
	struct value insecure_hosts; /* host or host:port, without scheme */
};
int registry_lists_make(struct arena *arena, const struct value *mirrors, const struct value *insecure,
                        struct registry_lists *ret);

/* A permissible implicit shim name or a stock runtime, so that no entry is needed for it. */
bool runtime_name_is_stock(const char *name);

#endif
