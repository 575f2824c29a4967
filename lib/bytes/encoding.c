/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bytes/encoding.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "base/utf8.h"

struct utf16 {
	const unsigned char *bytes;
	size_t size;
	bool big_endian;
};

static int fail_at(size_t offset, struct rtreg_error *error)
{
	error_set(error, -EINVAL, NULL, "failed to decode configuration JSON at offset %zu", offset);
	return -EINVAL;
}

/* How many bytes from here on are ASCII for sure, eight at a time: nearly all of a configuration is. */
static size_t ascii_length(const char *bytes, size_t size)
{
	size_t at = 0;
	uint64_t word;

	for (; size - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		if (word & 0x8080808080808080u)
			break;
	}
	return at;
}

static int check_utf8(const char *bytes, size_t size, size_t begin, struct rtreg_error *error)
{
	size_t at = begin, step;

	while (at < size) {
		at += ascii_length(bytes + at, size - at);
		if (at == size)
			break;
		step = utf8_sequence(bytes + at, size - at);
		if (step == 0)
			return fail_at(at, error);
		at += step;
	}
	return 0;
}

static uint32_t utf16_unit(const struct utf16 *in, size_t at)
{
	unsigned first = in->bytes[at], second = in->bytes[at + 1];

	return in->big_endian ? first << 8 | second : second << 8 | first;
}

/* The code point at `at`, and how many bytes it takes; 0 if there is no valid one. */
static size_t utf16_sequence(const struct utf16 *in, size_t at, uint32_t *ret_code)
{
	uint32_t unit, low;

	if (in->size - at < 2)
		return 0;
	unit = utf16_unit(in, at);
	if (unit < 0xd800 || unit > 0xdfff) {
		*ret_code = unit;
		return 2;
	}
	if (unit > 0xdbff || in->size - at < 4)
		return 0;
	low = utf16_unit(in, at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*ret_code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	return 4;
}

static size_t put_utf8(char *to, uint32_t code)
{
	unsigned char *out = (unsigned char *)to;

	if (code < 0x80) {
		out[0] = (unsigned char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (unsigned char)(0xc0 | code >> 6);
		out[1] = (unsigned char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (unsigned char)(0xe0 | code >> 12);
		out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | code >> 18);
	out[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (code & 0x3f));
	return 4;
}

static int from_utf16(const struct utf16 *in, char **ret, size_t *ret_length, struct rtreg_error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0, step;
	uint32_t code = 0;

	/* A unit of 2 bytes becomes at most 3, a pair of 4 bytes 4. */
	text = malloc(in->size / 2 * 3 + 1);
	if (!text)
		return error_no_memory(error);
	for (size_t at = 2; at < in->size; at += step) {
		step = utf16_sequence(in, at, &code);
		if (step == 0)
			return fail_at(at, error);
		length += put_utf8(text + length, code);
	}
	text[length] = '\0';
	*ret = take(text);
	*ret_length = length;
	return 0;
}

int encoding_text(const char *bytes, size_t size, const char **ret, size_t *ret_length, char **ret_own,
                  struct rtreg_error *error)
{
	struct utf16 in = {.bytes = (const unsigned char *)bytes, .size = size};
	size_t begin = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	int r;

	in.big_endian = size >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0;
	if (in.big_endian || (size >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0)) {
		r = from_utf16(&in, ret_own, ret_length, error);
		if (r == 0)
			*ret = *ret_own ? *ret_own : "";
		return r;
	}
	r = check_utf8(bytes, size, begin, error);
	if (r < 0)
		return r;
	*ret_own = NULL;
	*ret = size > begin ? bytes + begin : ""; /* an empty body has no address */
	*ret_length = size - begin;
	return 0;
}

int encoding_to_utf8(const char *bytes, size_t size, char **ret, size_t *ret_length,
                     struct rtreg_error *error)
{
	const char *text = "";
	size_t length = 0;
	char *own = NULL;
	int r = encoding_text(bytes, size, &text, &length, &own, error);

	if (r < 0)
		return r;
	if (!own) {
		own = malloc(length + 1);
		if (!own)
			return error_no_memory(error);
		memcpy(own, text, length);
		own[length] = '\0';
	}
	*ret = own;
	*ret_length = length;
	return 0;
}
