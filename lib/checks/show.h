/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How values from the configuration are shown in messages: without passwords, quoted. */
#ifndef RTREG_CHECKS_SHOW_H
#define RTREG_CHECKS_SHOW_H

#include <stdbool.h>

/*
 * In double quotes, with quotes, backslashes and control characters escaped, so that a message stays on its
 * line. malloc'ed, NULL without memory.
 */
char *show_quoted(const char *string);

/*
 * With a password of `USER:PASSWORD@` as xxxxx, and `USER@` as `USER:xxxxx@`; a scheme may stand before it.
 * In a text that is no valid URL, nobody can tell where the user info ends: there everything up to the last
 * '@' is taken for it. malloc'ed, NULL without memory.
 */
char *show_masked(const char *string, bool is_valid_url);

#endif
