/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing JSON into a text buffer. Commas come by themselves: a separator is written where the text before
 *ends in a value. Strings are escaped as RFC 8259 asks, with bytes that are no UTF-8 replaced by U+FFFD.
 *
 *	json_open(&text, '{');
 *	json_key(&text, "generation");
 *	json_uint(&text, 7);
 *	json_close(&text, '}');
 */
#ifndef RTREG_BASE_JSON_WRITE_H
#define RTREG_BASE_JSON_WRITE_H

#include "base/text.h"

/* `bracket` is '{' or '['. */
void json_open(struct text *text, char bracket);
/* `bracket` is '}' or ']'. */
void json_close(struct text *text, char bracket);
void json_key(struct text *text, const char *key);
/* NULL gives null. */
void json_string(struct text *text, const char *string);
void json_string_n(struct text *text, const char *string, size_t length);
void json_int(struct text *text, int64_t number);
void json_uint(struct text *text, uint64_t number);
void json_boolean(struct text *text, bool value);
void json_null(struct text *text);
/* Text that is JSON already. NULL gives null. */
void json_raw(struct text *text, const char *json);

/* Key and value in one. */
void json_member_string(struct text *text, const char *key, const char *string);
void json_member_int(struct text *text, const char *key, int64_t number);
void json_member_uint(struct text *text, const char *key, uint64_t number);
void json_member_bool(struct text *text, const char *key, bool value);
void json_member_raw(struct text *text, const char *key, const char *json);

#endif
