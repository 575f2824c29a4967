/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uri.h"

#include <errno.h>
#include <string.h>

int uri_init(struct uri *uri, const char *target)
{
	const char *path = target;
	char *query;

	if (target[0] != '/') {
		const char *authority = strstr(target, "://");

		path = authority ? authority + 3 + strcspn(authority + 3, "/?") : target;
	}
	uri->size = strlen(path);
	uri->path = uri->size < sizeof(uri->space) ? uri->space : malloc(uri->size + 1);
	if (!uri->path)
		return -ENOMEM;
	memcpy(uri->path, path, uri->size + 1);
	query = memchr(uri->path, '?', uri->size);
	if (query)
		*query++ = '\0';
	uri->query = query ? query : uri->path + uri->size;
	return 0;
}

void uri_fini(struct uri *uri)
{
	if (uri->path != uri->space)
		free(uri->path);
	uri->path = uri->query = NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%XX" at `at` stands for, or -1. */
static int escaped_byte(const char *at, size_t left)
{
	int high, low;

	if (left < 3)
		return -1;
	high = hex_digit(at[1]);
	low = hex_digit(at[2]);
	return high < 0 || low < 0 || (high == 0 && low == 0) ? -1 : high << 4 | low;
}

int uri_decode(const char *encoded, size_t length, int plus_is_space, char **ret)
{
	_cleanup_free_ char *decoded = malloc(length + 1);
	size_t out = 0;

	if (!decoded)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		if (encoded[i] == '%') {
			int byte = escaped_byte(encoded + i, length - i);

			if (byte < 0)
				return -EINVAL;
			decoded[out++] = (char)byte;
			i += 2;
		} else {
			decoded[out++] = plus_is_space && encoded[i] == '+' ? ' ' : encoded[i];
		}
	}
	decoded[out] = '\0';
	*ret = take(decoded);
	return 0;
}

int uri_argument(const struct uri *uri, const char *name, char **ret)
{
	const char *at = uri->query;

	while (*at) {
		size_t length = strcspn(at, "&"), name_length = strcspn(at, "=&");
		_cleanup_free_ char *decoded = NULL;
		int rc = uri_decode(at, name_length, 1, &decoded);

		if (rc < 0)
			return rc;
		if (strcmp(decoded, name) == 0) {
			size_t skip = name_length < length ? name_length + 1 : length;

			return uri_decode(at + skip, length - skip, 1, ret);
		}
		at += length + (at[length] == '&');
	}
	return -ENOENT;
}
