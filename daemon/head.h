/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request's head says of its body and its own size, and what of it cannot be accepted. */
#ifndef RTREGD_HEAD_H
#define RTREGD_HEAD_H

#include "reply.h"

#define HEAD_MAX_BYTES  8192
#define HEAD_MAX_FIELDS 100

/* Zeroed, then given all fields and the size. The strings are borrowed. */
struct head {
	const char *length, *encoding; /* Content-Length, Transfer-Encoding; NULL: not there */
	unsigned fields;
	size_t size_bytes;
	bool conflict;
	bool malformed; /* a field has a name that is none */
};

void head_add_field(struct head *head, const char *name, const char *value);
/* Whether a body may follow, as far as can be told from what may be contradictory. */
bool head_has_body(const struct head *head);
/* Answers a head that cannot be read safely (400, 501) or is too large (431). */
void head_check(const struct head *head, struct reply *reply);
/* The length that the head gives; 0 if it gives none. Context: after head_check(). */
unsigned long long head_body_length(const struct head *head);

#endif
