/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container's bundle says of its runtime. */
#ifndef RTREG_TOOLS_RUNTIME_BUNDLE_H
#define RTREG_TOOLS_RUNTIME_BUNDLE_H

#include "base/arena.h"
#include "rtreg/rtreg.h"
#include "runtime/invocation.h"

#define RUNTIME_ANNOTATION "io.rtreg.runtime"

/*
 * The annotation in the bundle's config.json, in the arena: "" if there is none. Errors name the file: it is
 * missing, no regular file, too large, no JSON, or the annotation is no string.
 */
int bundle_runtime(struct arena *arena, const struct invocation *invocation, const char **ret,
                   struct rtreg_error *error);

#endif
