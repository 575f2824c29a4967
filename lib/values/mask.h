/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets are shown nowhere (CONTRACT section 6): user info in proxy URLs becomes `xxxxx:xxxxx`, values of
 * log-opts whose name holds token, password, secret or key become `xxxxx`. Everything that prints a value
 * goes through here.
 */
#ifndef RTREG_VALUES_MASK_H
#define RTREG_VALUES_MASK_H

#include "values/keys.h"
#include "values/value.h"

/* What stands for a secret. */
#define MASKED "xxxxx"

/* Writes a key's value as daemon.json has it (a KEY_BYTES as a string of bytes), masked. */
void mask_write(struct text *text, const struct key_info *key, const struct value *value);
/* Writes it as the reference prints it in messages: text bare, lists `[a b]`, maps `map[a:b]`; masked. */
void mask_print(struct text *text, const struct key_info *key, const struct value *value);
/* The length of "scheme://" at the beginning of a URL, or 0. */
size_t mask_scheme_length(const char *url);
/* Writes a URL that may hold user info: `scheme://xxxxx:xxxxx@host`, `xxxxx:xxxxx@host`. */
void mask_url(struct text *text, const char *url);
/*
 * Writes a name that somebody chose, as it can be shown: one line, not endless, and without user info where
 * it is a URL by mistake.
 */
void mask_name(struct text *text, const char *name);
/* Whether the value of a log option of this name is a secret. */
bool mask_hides(const char *name);

#endif
