/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/utf8.h"

#include <string.h>

size_t utf8_sequence(const char *bytes, size_t length)
{
	const unsigned char *b = (const unsigned char *)bytes;
	unsigned char low = 0x80, high = 0xbf;
	size_t size;

	if (length == 0)
		return 0;
	if (b[0] < 0x80)
		return 1;
	if (b[0] >= 0xc2 && b[0] <= 0xdf)
		size = 2;
	else if (b[0] >= 0xe0 && b[0] <= 0xef)
		size = 3;
	else if (b[0] >= 0xf0 && b[0] <= 0xf4)
		size = 4;
	else
		return 0;
	if (size > length)
		return 0;
	if (b[0] == 0xe0) /* overlong */
		low = 0xa0;
	else if (b[0] == 0xed) /* surrogates */
		high = 0x9f;
	else if (b[0] == 0xf0) /* overlong */
		low = 0x90;
	else if (b[0] == 0xf4) /* past U+10FFFF */
		high = 0x8f;
	if (b[1] < low || b[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if (b[i] < 0x80 || b[i] > 0xbf)
			return 0;
	return size;
}

size_t utf8_prefix(const char *bytes, size_t length, size_t limit)
{
	size_t end = 0, step;

	while (end < length) {
		step = utf8_sequence(bytes + end, length - end);
		if (end + (step ? step : 1) > limit)
			break;
		end += step ? step : 1;
	}
	return end;
}

bool utf8_is_valid(const char *string)
{
	size_t left = strlen(string), length = 1;

	for (; left > 0 && length > 0; left -= length, string += length)
		length = utf8_sequence(string, left);
	return length > 0;
}
