/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/prefix.h"

#include <stdio.h>

#include "checks/span.h"

bool prefix_parse(const char *string, struct prefix *ret)
{
	const char *slash = strchr(string, '/');
	size_t length = slash ? (size_t)(slash - string) : 0;
	char address[INET6_ADDRSTRLEN];
	struct prefix prefix = {.family = AF_INET};
	unsigned limit;

	if (!slash || length >= sizeof(address) || !span_is_number(span_of(slash + 1)))
		return false;
	memcpy(address, string, length);
	address[length] = '\0';
	if (memchr(address, ':', length))
		prefix.family = AF_INET6;
	limit = prefix.family == AF_INET6 ? 128 : 32;
	prefix.bits = span_number(span_of(slash + 1), limit);
	if (prefix.bits > limit || inet_pton(prefix.family, address, prefix.address) != 1)
		return false;
	*ret = prefix;
	return true;
}

/* The bits of byte `i` that belong to the first `bits` ones of an address. */
static unsigned char byte_mask(unsigned i, unsigned bits)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	if (bits <= 8 * i)
		return 0;
	return (unsigned char)(0xff << (8 * (i + 1) - bits));
}

void prefix_mask(struct prefix *prefix)
{
	for (unsigned i = 0; i < sizeof(prefix->address); i++)
		prefix->address[i] &= byte_mask(i, prefix->bits);
}

bool prefix_begins(const struct prefix *prefix, const unsigned char *address, unsigned bits)
{
	for (unsigned i = 0; 8 * i < bits; i++)
		if ((prefix->address[i] ^ address[i]) & byte_mask(i, bits))
			return false;
	return true;
}

void prefix_format(const struct prefix *prefix, char ret[PREFIX_STRING_MAX])
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(prefix->family, prefix->address, address, sizeof(address));
	snprintf(ret, PREFIX_STRING_MAX, "%s/%u", address, prefix->bits);
}
