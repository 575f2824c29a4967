/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rtreg-runtime says of itself: on stderr, and in the file that --log names, in the form that runtimes write
 * there, since that is what engines show to people.
 */
#ifndef RTREG_TOOLS_RUNTIME_TELL_H
#define RTREG_TOOLS_RUNTIME_TELL_H

#include "runtime/invocation.h"

/* `rtreg-runtime: MESSAGE`, made one line. That it cannot be written does not matter. */
void tell_failure(const struct invocation *invocation, const char *message);
void tell_warning(const struct invocation *invocation, const char *message);

#endif
