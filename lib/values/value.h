/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree of JSON values in an arena. Strings are UTF-8 without NUL (CONTRACT C12), so they are C strings.
 * Built by values/parse.c, put in order by values/settings.c, constant from then on.
 */
#ifndef RTREG_VALUES_VALUE_H
#define RTREG_VALUES_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json_write.h"

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,    /* a number written as an integer, within 64 bits signed */
	VALUE_NUMBER, /* any other number, kept as it was written */
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_OBJECT,
};

struct member;

struct value {
	enum value_type type;
	uint32_t count; /* elements of an array, members of an object, bytes of a string or number text */
	union {
		bool boolean;
		int64_t integer;
		const char *string; /* VALUE_STRING, and VALUE_NUMBER's text */
		struct value *elements;
		struct member *members; /* each key once */
	};
};

struct member {
	const char *key;
	struct value value;
};

/* "null", "bool", "number", "string", "array", "object": as CONTRACT C8 names them. */
const char *value_type_name(enum value_type type);

/*
 * The member of an object by its exact key, or NULL. value_member_nocase: without regard to ASCII case, the
 * last wins.
 */
const struct value *value_member(const struct value *object, const char *key);
const struct value *value_member_nocase(const struct value *object, const char *key);

/* Orders the members of every object within by key. Do it before value_equal() and where order shows. */
void value_sort(struct value *value);
/* Whether an object's members are in order already, as most programs write them. */
bool value_is_sorted(const struct value *object);
/* Equality of two sorted trees. */
bool value_equal(const struct value *a, const struct value *b);
/* Copies a tree, strings too; false without memory, and *ret is then undefined. */
bool value_copy(struct arena *arena, const struct value *from, struct value *ret);

/* A string, or NULL, of a string value that may be missing. */
const char *value_string(const struct value *value);

struct value value_of_string(const char *string);
struct value value_of_int(int64_t integer);
struct value value_of_bool(bool boolean);

void value_write(struct text *text, const struct value *value);

#endif
