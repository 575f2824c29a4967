/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "trust.h"

/* How long another daemon that is starting at the same place is waited for. */
#define LOCK_TRIES 100

static int fail(struct rtreg_error *error, int number, const char *what, const char *path)
{
	return error_set(error, -number, path, "%s %s: %s", what, path, strerror(number));
}

static int make_address(const char *path, struct sockaddr_un *ret, struct rtreg_error *error)
{
	size_t length = strlen(path);

	if (length == 0)
		return error_set(error, -EINVAL, "", "the socket path is empty");
	if (length >= sizeof(ret->sun_path))
		return error_set(error, -ENAMETOOLONG, path,
		                 "socket path is too long (%zu bytes, at most %zu): %s", length,
		                 sizeof(ret->sun_path) - 1, path);
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, length);
	return 0;
}

/* Makes `path` and what is missing above it. */
static int make_directories(char *path, struct rtreg_error *error)
{
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return fail(error, errno, "cannot make the directory", path);
		*at = '/';
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return fail(error, errno, "cannot make the directory", path);
	return 0;
}

/*
 * Opens the socket's directory and locks it: between the look whether somebody lives at the path and the bind
 * no second daemon may do the same.
 */
static int lock_directory(const char *path, int *ret_fd, struct rtreg_error *error)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = NULL;
	_cleanup_close_ int fd = -1;
	int rc;

	if (slash == path)
		directory = strdup("/");
	else
		directory = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	if (!directory)
		return error_no_memory(error);
	rc = make_directories(directory, error);
	if (rc < 0)
		return rc;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(error, errno, "cannot open the directory", directory);
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == LOCK_TRIES)
			return fail(error, errno, "cannot lock the directory", directory);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Removes a socket on which nobody listens; refuses anything else that is there. */
static int clear_path(const struct sockaddr_un *address, struct rtreg_error *error)
{
	const char *path = address->sun_path;
	_cleanup_close_ int fd = -1;
	struct stat found;

	if (lstat(path, &found) < 0)
		return errno == ENOENT ? 0 : fail(error, errno, "cannot look at", path);
	if (!S_ISSOCK(found.st_mode))
		return error_set(error, -EEXIST, path, "socket %s: the path exists and is not a socket",
		                 path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error, errno, "cannot make a socket for", path);
	/* EAGAIN: its queue is full, so somebody listens. */
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return error_set(error, -EADDRINUSE, path, "socket %s is in use by a running daemon", path);
	if (errno != ECONNREFUSED)
		return fail(error, errno, "cannot try whether a daemon is running at", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail(error, errno, "cannot remove the old socket", path);
	return 0;
}

/* From the bind on nobody but the owner may connect, until group and mode are what they shall be. */
static int bind_and_listen(int fd, const struct sockaddr_un *address, mode_t mode, gid_t group,
                           struct rtreg_error *error)
{
	const char *path = address->sun_path;
	mode_t umask_before = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;

	umask(umask_before);
	if (rc != 0)
		return fail(error, rc, "cannot bind the socket", path);
	if (group != NO_GROUP && lchown(path, (uid_t)-1, group) < 0)
		rc = fail(error, errno, "cannot give the group to the socket", path);
	else if (chmod(path, mode) < 0)
		rc = fail(error, errno, "cannot set the mode of the socket", path);
	else if (listen(fd, SOMAXCONN) < 0)
		rc = fail(error, errno, "cannot listen at the socket", path);
	if (rc < 0)
		unlink(path);
	return rc;
}

int socket_listen(const char *path, mode_t mode, gid_t group, struct socket_address *ret,
                  struct rtreg_error *error)
{
	_cleanup_close_ int lock = -1, fd = -1;
	struct sockaddr_un address;
	struct stat made;
	int rc;

	rc = make_address(path, &address, error);
	if (rc == 0)
		rc = lock_directory(path, &lock, error);
	if (rc == 0)
		rc = clear_path(&address, error);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error, errno, "cannot make a socket for", path);
	rc = bind_and_listen(fd, &address, mode, group, error);
	if (rc < 0)
		return rc;
	if (lstat(path, &made) < 0)
		return fail(error, errno, "cannot look at", path);
	*ret = (struct socket_address){.fd = take_fd(&fd), .device = made.st_dev, .inode = made.st_ino};
	memcpy(ret->path, address.sun_path, sizeof(address.sun_path));
	return 0;
}

int socket_take_over(int fd, struct socket_address *ret, struct rtreg_error *error)
{
	struct socket_address taken = {.fd = fd, .handed_over = true};
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return fail(error, errno, "cannot take over", "the socket");
	memcpy(taken.path, address.sun_path, sizeof(address.sun_path));
	if (size > sizeof(sa_family_t) && taken.path[0] == '\0')
		taken.path[0] = '@'; /* a name that is in no file system */
	*ret = taken;
	return 0;
}

void socket_close(struct socket_address *address)
{
	struct stat found;

	if (address->fd < 0)
		return;
	if (!address->handed_over && lstat(address->path, &found) == 0 && found.st_dev == address->device &&
	    found.st_ino == address->inode)
		unlink(address->path);
	close(take_fd(&address->fd));
}
