/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IP networks as ADDRESS/BITS. */
#ifndef RTREG_CHECKS_PREFIX_H
#define RTREG_CHECKS_PREFIX_H

#include <arpa/inet.h>
#include <stdbool.h>

#define PREFIX_STRING_MAX (INET6_ADDRSTRLEN + 4)

struct prefix {
	int family; /* AF_INET or AF_INET6 */
	unsigned bits;
	unsigned char address[16]; /* the first 4 of them for AF_INET */
};

/* False if it is none. Bits of the host are kept. */
bool prefix_parse(const char *string, struct prefix *ret);
/* Clears the bits of the host. */
void prefix_mask(struct prefix *prefix);
/* Whether the first `bits` bits are those of `address`. */
bool prefix_begins(const struct prefix *prefix, const unsigned char *address, unsigned bits);
void prefix_format(const struct prefix *prefix, char ret[PREFIX_STRING_MAX]);

#endif
