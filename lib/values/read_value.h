/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a value as it was parsed to one of a key's type (CONTRACT C7 to C10), for settings_read.c. The shapes
 * of all types are one table in read_value.c.
 */
#ifndef RTREG_VALUES_READ_VALUE_H
#define RTREG_VALUES_READ_VALUE_H

#include "base/problems.h"
#include "values/keys.h"
#include "values/value.h"

/* Where a value stands, for messages: a key, or a member of what is `up`. */
struct place {
	const struct place *up;
	const char *name;
};

struct reader {
	struct problems *problems;
	bool bad;    /* something was wrong; reset by the caller */
	bool failed; /* no memory */
};

/*
 * Makes `value` what values/settings.h says of `type`, in place: null becomes the zero value, members of
 * records get their canonical names, maps are sorted. What is wrong goes to the reader's problems; the value
 * is then not to be used.
 */
void read_value(struct reader *reader, enum key_type type, const struct place *place, struct value *value);

/* "cannot unmarshal <type found> into <place>: <wanted> is wanted". */
void read_type_error(struct reader *reader, const struct place *place, const struct value *value,
                     const char *wanted);

/* Whether a record of `type` has a member `name`, without regard to case. */
bool read_member_is_known(enum key_type type, const char *name);

/* Orders the members of one object, not of those within. */
void read_sort_members(struct value *object);

/* An IPv4 or IPv6 address, the latter with a zone perhaps. */
bool read_ip_is_valid(const char *string);

#endif
