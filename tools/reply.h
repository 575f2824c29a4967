/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the JSON of replies. Every function takes NULL, or a value of another type than it wants, for
 * something that is not there, so that a chain of questions needs no checks between. What is returned belongs
 * to the tree. Only reply.c knows json-c.
 */
#ifndef RTREG_TOOLS_REPLY_H
#define RTREG_TOOLS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/text.h"

struct json_object;

/* NULL if `text` is not one JSON value, or without memory. The caller frees it with reply_free(). */
struct json_object *reply_parse(const char *text, size_t length);
void reply_free(struct json_object *root);

struct json_object *reply_member(struct json_object *object, const char *key);
/* The object or array of that name, NULL if it is something else. */
struct json_object *reply_object(struct json_object *object, const char *key);
struct json_object *reply_array(struct json_object *object, const char *key);
size_t reply_count(struct json_object *array);
struct json_object *reply_item(struct json_object *array, size_t index);

/* "" if it is not there. */
const char *reply_string(struct json_object *object, const char *key);
const char *reply_as_string(struct json_object *value);
/* 0 if it is not there, or negative. */
uint64_t reply_uint(struct json_object *object, const char *key);
bool reply_bool(struct json_object *object, const char *key);

bool reply_is_null(struct json_object *value);
/* null, "", false, [], {} */
bool reply_is_empty(struct json_object *value);
/* Appends a value as people read it: a string as it is, all else as compact JSON. */
void reply_append(struct text *text, struct json_object *value);
/* The message of an element of "errors" and the like: a string, or an object's "message"; else "". */
const char *reply_message(struct json_object *value);

/* The keys of an object in the order of their bytes; malloc'ed, ended by NULL. NULL without memory. */
const char **reply_keys(struct json_object *object);

static inline void reply_freep(struct json_object **root)
{
	reply_free(*root);
}
#define _cleanup_reply_ _cleanup_(reply_freep)

#endif
