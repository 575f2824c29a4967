/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The content of the registry's own drop-in (docs/dropins.md): what a change makes of it. */
#ifndef RTREG_REGISTRY_OWN_FRAGMENT_H
#define RTREG_REGISTRY_OWN_FRAGMENT_H

#include "base/arena.h"
#include "rtreg/rtreg.h"
#include "values/value.h"

/* The file at `path` as an object; a missing or empty one is an empty object. Errors name the path. */
int own_fragment_read(struct arena *arena, const char *path, struct value *ret, struct rtreg_error *error);

/*
 * Applies a change to the object: other members stay. An entry that is no JSON object: -EINVAL. A runtime to
 * be removed that is not there: -ESRCH, without a message.
 */
int own_fragment_edit(struct arena *arena, const char *path, const struct rtreg_change *change,
                      struct value *object, struct rtreg_error *error);

/*
 * The runtime that RTREG_SET_DEFAULT without a name has in its entry, {"runtime": NAME}; of the arena. -EINVAL.
 */
int own_fragment_default(struct arena *arena, const struct rtreg_change *change, const char **ret,
                         struct rtreg_error *error);

/* The object as a person would write it; malloc'ed, NULL without memory. */
char *own_fragment_text(const struct value *object, size_t *ret_length);

#endif
