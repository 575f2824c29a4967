/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

int fs_write_all(int fd, const void *bytes, size_t size)
{
	const char *from = bytes;

	while (size > 0) {
		ssize_t written = write(fd, from, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		/* Nothing written and no error: more attempts would not end. */
		if (written == 0)
			return -EIO;
		from += written;
		size -= (size_t)written;
	}
	return 0;
}

int fs_read_full(int fd, void *buffer, size_t size, size_t *ret_size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read(fd, (char *)buffer + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	*ret_size = length;
	return 0;
}

int fs_link_unnamed(int fd, int directory, const char *name)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, link, directory, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	/* Without /proc; old kernels ask for CAP_DAC_READ_SEARCH here. */
	if (errno == ENOENT && linkat(fd, "", directory, name, AT_EMPTY_PATH) == 0)
		return 0;
	return -errno;
}

bool fs_lacks_tmpfile(int number)
{
	return number == EOPNOTSUPP || number == EISDIR || number == EINVAL;
}

int fs_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = NULL;
	_cleanup_close_ int fd = -1;

	if (!slash)
		parent = strdup(".");
	else
		parent = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!parent)
		return -ENOMEM;
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int fs_remove_tree(int directory, const char *name)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int fd = -1;
	struct dirent *entry;
	int r = 0;

	if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	take_fd(&fd);
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = fs_remove_tree(dirfd(dir), entry->d_name);
	if (r == 0 && unlinkat(directory, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

const char *fs_error_text(int code)
{
	const char *text = strerrordesc_np(-code);

	return text ? text : "unknown error";
}

const char *fs_error_advice(int code)
{
	static const struct {
		int number;
		const char *advice;
	} advices[] = {
	        {ENOSPC, "free some space"},
	        {EDQUOT, "free some space or raise the quota"},
	        {EROFS, "remount the file system for writing"},
	        {EACCES, "check owner and mode of the directories on the way"},
	        {EPERM, "check owner, mode and attributes of the file and its directory"},
	        {EIO, "check the disk"},
	        {EISDIR, "move the directory away"},
	        {ENOTDIR, "move what is there away"},
	        {ELOOP, "move the symbolic link away"},
	        {ENOENT, "make the directory that should hold it"},
	        {EMFILE, "raise the limit of open files"},
	        {ENFILE, "raise the system's limit of open files"},
	        {ENOMEM, "free some memory"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (advices[i].number == -code)
			return advices[i].advice;
	return "put it right";
}
