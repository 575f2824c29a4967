/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values/size.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/problems.h"

#define FRACTION_SCALE 1000000000000000000u /* 18 digits: the rest is less than a byte even of a pebibyte */

/* Holds any size in bytes before it is known to fit 64 bits. */
__extension__ typedef unsigned __int128 wide;

/* Splits "1.5 GiB" behind its number, as the reference does: at the last digit, dot or space. */
static const char *find_suffix(const char *string)
{
	const char *suffix = string;

	for (const char *s = string; *s; s++)
		if (strchr("0123456789. ", *s))
			suffix = s + 1;
	return suffix;
}

/* The unit as a power of two, or -1. */
static int suffix_shift(const char *suffix)
{
	static const char units[] = "kmgtp";
	const char *unit;

	if (!*suffix || strcasecmp(suffix, "b") == 0)
		return 0;
	unit = strchr(units, *suffix | 0x20);
	if (!unit || (suffix[1] && strcasecmp(suffix + 1, "b") != 0 && strcasecmp(suffix + 1, "ib") != 0))
		return -1;
	return 10 * (int)(unit - units + 1);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits, a fraction and perhaps one space, up to `end`, in units of 2^shift bytes. */
static bool parse_number(const char *s, const char *end, int shift, int64_t *ret_bytes)
{
	wide whole = 0, fraction = 0, scale = 1;
	bool digits = false;

	if (end > s && end[-1] == ' ')
		end--;
	for (; s < end && is_digit(*s); s++, digits = true)
		if (whole <= INT64_MAX) /* else too large already, and must not wrap */
			whole = whole * 10 + (unsigned)(*s - '0');
	if (s < end && *s == '.')
		for (s++; s < end && is_digit(*s); s++, digits = true)
			if (scale < FRACTION_SCALE) {
				fraction = fraction * 10 + (unsigned)(*s - '0');
				scale *= 10;
			}
	if (s != end || !digits || whole > INT64_MAX)
		return false;
	whole = (whole << shift) + (fraction << shift) / scale;
	if (whole > INT64_MAX)
		return false;
	*ret_bytes = (int64_t)whole;
	return true;
}

int size_parse(const char *string, int64_t *ret_bytes, struct rtreg_error *error)
{
	const char *suffix = find_suffix(string);
	int shift = suffix_shift(suffix);
	int64_t ignored;

	/* Without a number there is no suffix either: "lots" is no size at all. */
	if (shift < 0 && parse_number(string, suffix, 0, &ignored))
		return error_set(error, -EINVAL, NULL, "invalid suffix: '%s'", suffix);
	if (shift < 0 || !parse_number(string, suffix, shift, ret_bytes))
		return error_set(error, -EINVAL, NULL, "invalid size: '%s'", string);
	return 0;
}
