/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The target of a request as it came, taken apart once: the path is matched while it is still encoded, and a
 * segment or an argument is decoded when it is used, so that %2F never separates and %00 never cuts.
 */
#ifndef RTREGD_URI_H
#define RTREGD_URI_H

#include <stddef.h>

#include "base/cleanup.h"

#define URI_SHORT 128

/* Zeroed is empty. Both strings are still encoded; `query` is "" without one. Not to be copied. */
struct uri {
	char *path;
	char *query;           /* within the same memory as path */
	size_t size;           /* from the beginning of the path to the end of the query */
	char space[URI_SHORT]; /* where they are, if they fit */
};

/* -ENOMEM. Takes origin-form ("/v1/x?a=b") and absolute-form ("http://host/v1/x"). */
int uri_init(struct uri *uri, const char *target);
void uri_fini(struct uri *uri);

/*
 * Decodes `length` bytes of percent escapes, once; `plus_is_space` for query arguments. -EINVAL for a bad
 * escape or %00. *ret is NUL-terminated and the caller's to free.
 */
int uri_decode(const char *encoded, size_t length, int plus_is_space, char **ret);

/*
 * The first argument of that name. Returns 0 with the decoded value ("" for a name alone), -ENOENT without
 * one, -EINVAL for a bad escape, -ENOMEM.
 */
int uri_argument(const struct uri *uri, const char *name, char **ret);

#endif
