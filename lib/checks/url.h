/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking URLs apart as the reference does: what it accepts as a mirror or as an address to listen on depends
 * on the strictness of its URL parser.
 */
#ifndef RTREG_CHECKS_URL_H
#define RTREG_CHECKS_URL_H

#include "checks/span.h"

#define URL_PORT_MAX 65535u

/* Spans of the parsed string; `start` is NULL for what is not there. */
struct url {
	struct span scheme;
	struct span user; /* user info, without the '@' */
	struct span host; /* an IPv6 address without its brackets */
	struct span port; /* may be empty; not checked, see url_port_is_number() */
	struct span path;
	struct span query;
	struct span fragment;
};

/* Returns 0, or -EINVAL with the reason: a constant text that holds nothing of `string`. */
int url_parse(const char *string, struct url *ret, const char **ret_reason);

/* Only digits, or empty, or not there. */
bool url_port_is_number(const struct url *url);

#endif
