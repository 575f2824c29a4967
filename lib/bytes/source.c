/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a configuration file whole. What the file is gets asked of the open descriptor, so that nobody can
 * exchange it in between; the size that fstat() tells is only a first guess, since files grow, and those in
 * /proc tell 0.
 */
#include "bytes/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/problems.h"

#define FIRST_GUESS ((size_t)4096)

static int fail_open(const char *path, int code, struct rtreg_error *error)
{
	struct stat st;

	/* Something else there has come since. */
	if (code == ENOENT && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return error_set(error, -ENOENT, path,
		                 "configuration file %s: is a link to a file that is missing", path);
	if (code == ENOENT)
		return error_set(error, -ENOENT, path, "configuration file %s: no such file", path);
	if (code == ENXIO || code == ENODEV)
		return error_set(error, -EINVAL, path,
		                 "configuration file %s: is a socket or a device; name a regular file", path);
	if (code == EACCES)
		return error_set(error, -EACCES, path,
		                 "cannot read configuration file %s: %s; make the file and its directories "
		                 "readable for this user",
		                 path, strerrordesc_np(code));
	if (code == ELOOP || code == ENOTDIR || code == ENAMETOOLONG)
		return error_set(error, -code, path,
		                 "cannot open configuration file %s: %s; name a regular file", path,
		                 strerrordesc_np(code));
	return error_set(error, -code, path, "cannot open configuration file %s: %s", path,
	                 strerrordesc_np(code));
}

static int fail_read(const char *path, int code, struct rtreg_error *error)
{
	return error_set(error, -code, path, "cannot read configuration file %s: %s", path,
	                 strerrordesc_np(code));
}

static int check_type(const char *path, const struct stat *st, struct rtreg_error *error)
{
	const char *what = "is no regular file";

	if (S_ISREG(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return error_set(error, -EISDIR, path, "configuration file %s: is a directory; name a file",
		                 path);
	if (S_ISFIFO(st->st_mode))
		what = "is a FIFO";
	else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		what = "is a device";
	return error_set(error, -EINVAL, path, "configuration file %s: %s; name a regular file", path, what);
}

/* A buffer that is not full after reading has met the end of the file. */
static int read_all(int fd, const char *path, size_t guess, char **ret, size_t *ret_size,
                    struct rtreg_error *error)
{
	_cleanup_free_ char *buffer = NULL;
	size_t capacity = guess, size = 0, got = 0;
	char *larger;
	int r;

	for (;;) {
		larger = realloc(buffer, capacity);
		if (!larger)
			return error_no_memory(error);
		buffer = larger;
		r = fs_read_full(fd, buffer + size, capacity - size, &got);
		if (r < 0)
			return fail_read(path, -r, error);
		size += got;
		if (size > SOURCE_MAX)
			return error_set(error, -EFBIG, path,
			                 "configuration file %s: has more than %zu bytes (16 MiB), the limit",
			                 path, SOURCE_MAX);
		if (size < capacity)
			break;
		capacity = capacity > SOURCE_MAX / 2 ? SOURCE_MAX + FIRST_GUESS : 2 * capacity;
	}
	*ret = take(buffer);
	*ret_size = size;
	return 0;
}

int source_read(const char *path, char **ret, size_t *ret_size, struct rtreg_error *error)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	size_t guess;
	int r;

	/* O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail_open(path, errno, error);
	if (fstat(fd, &st) < 0)
		return fail_read(path, errno, error);
	r = check_type(path, &st, error);
	if (r < 0)
		return r;
	if (st.st_size > (off_t)SOURCE_MAX)
		return error_set(error, -EFBIG, path,
		                 "configuration file %s: has %lld bytes; the limit is %zu (16 MiB)", path,
		                 (long long)st.st_size, SOURCE_MAX);
	guess = st.st_size > 0 ? (size_t)st.st_size + 1 : FIRST_GUESS;
	return read_all(fd, path, guess, ret, ret_size, error);
}
