/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lockins/name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/problems.h"
#include "base/utf8.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define SHOWN_MAX    160 /* bytes of what somebody gave as an id or a root */

static bool is_alphanumeric(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool lock_in_id_is_valid(const char *id)
{
	size_t length = strnlen(id, LOCK_IN_ID_MAX + 1);

	if (length > LOCK_IN_ID_MAX || !is_alphanumeric(id[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_alphanumeric(id[i]) && !strchr("_.-", id[i]))
			return false;
	return true;
}

bool lock_in_directory_is_valid(const char *directory)
{
	return strcmp(directory, LOCK_IN_NO_ROOT) == 0 ||
	       (strlen(directory) == DIGEST_LENGTH && strspn(directory, "0123456789abcdef") == DIGEST_LENGTH);
}

/* By the text alone, as links do not count. `path` is absolute and fits. */
static void clean(const char *path, char *ret)
{
	char *end = ret;

	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			while (end > ret && *--end != '/')
				;
		} else if (length > 0 && !(length == 1 && path[0] == '.')) {
			*end++ = '/';
			memcpy(end, path, length);
			end += length;
		}
		path += length;
	}
	if (end == ret)
		*end++ = '/';
	*end = '\0';
}

int lock_in_name_of_root(struct lock_in_name *ret, const char *root, struct rtreg_error *error)
{
	*ret = (struct lock_in_name){.directory = LOCK_IN_NO_ROOT};
	if (!root || !*root)
		return 0;
	if (root[0] != '/' || strnlen(root, PATH_MAX) == PATH_MAX || !utf8_is_valid(root))
		return error_set(
		        error, -EINVAL, "root",
		        "bad root \"%.*s\": it must be an absolute path, in UTF-8, of at most %d bytes",
		        (int)utf8_prefix(root, strnlen(root, SHOWN_MAX + 1), SHOWN_MAX), root, PATH_MAX - 1);
	clean(root, ret->root);
	digest_hex(ret->root, strlen(ret->root), ret->directory);
	return 0;
}

int lock_in_name_init(struct lock_in_name *ret, const char *root, const char *id, struct rtreg_error *error)
{
	if (!id || !lock_in_id_is_valid(id))
		return error_set(error, -EINVAL, "id",
		                 "bad container id \"%.*s\": it must be 1 to %d of the characters A-Z, a-z, "
		                 "0-9, \"_\", \".\" and \"-\", the first a letter or a digit",
		                 SHOWN_MAX, id ? id : "", LOCK_IN_ID_MAX);
	if (lock_in_name_of_root(ret, root, error) < 0)
		return -EINVAL;
	memcpy(ret->id, id, strlen(id) + 1);
	return 0;
}

bool boot_id_is_valid(const char *boot_id)
{
	if (strnlen(boot_id, BOOT_ID_LENGTH + 1) != BOOT_ID_LENGTH)
		return false;
	for (size_t i = 0; i < BOOT_ID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? boot_id[i] != '-' : !strchr("0123456789abcdef", boot_id[i]))
			return false;
	}
	return true;
}

int boot_id_read(char ret[BOOT_ID_LENGTH + 1])
{
	_cleanup_close_ int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	char text[BOOT_ID_LENGTH + 1] = "";
	size_t length;
	int r;

	if (fd < 0)
		return -errno;
	r = fs_read_full(fd, text, BOOT_ID_LENGTH, &length);
	if (r < 0)
		return r;
	if (!boot_id_is_valid(text))
		return -EBADMSG;
	memcpy(ret, text, sizeof(text));
	return 0;
}
