/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/problems.h"

#define DEFAULT_PATH "/var/lib/rtreg"
#define OWN_USER     "rtreg"

static int fail_open(const char *path, int code, struct rtreg_error *error)
{
	if (code == -ENOENT)
		return error_set(
		        error, code, path,
		        "state directory %s: no such directory: start rtregd, or set RTREG_STATE_DIR to "
		        "where it keeps its state",
		        path);
	return error_set(error, code, path, "state directory %s: %s; %s, or set RTREG_STATE_DIR", path,
	                 fs_error_text(code), fs_error_advice(code));
}

/*
 * Whether that is the user that rtregd may run as. A system's own users are in this file; other sources of users
 * would need libraries at run time, and time.
 */
static bool is_own_user(uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	bool found = false;

	while (file && !found && (entry = fgetpwent(file)))
		found = entry->pw_uid == uid && strcmp(entry->pw_name, OWN_USER) == 0;
	if (file)
		fclose(file);
	return found;
}

static bool is_trusted(uid_t owner)
{
	return owner == 0 || owner == geteuid() || (geteuid() == 0 && is_own_user(owner));
}

static int check(const char *path, const struct stat *st, struct rtreg_error *error)
{
	if (!is_trusted(st->st_uid))
		return error_set(
		        error, -EPERM, path,
		        "state directory %s belongs to user %u, whom user %u does not trust: %s", path,
		        st->st_uid, geteuid(),
		        geteuid() == 0 ? "change its owner, or set RTREG_STATE_DIR"
		                       : "run this as root, or set RTREG_STATE_DIR and RTREG_SOCKET to those "
		                         "of an rtregd of your own");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return error_set(
		        error, -EPERM, path,
		        "state directory %s can be written by others (mode %04o): chmod go-w it, or set "
		        "RTREG_STATE_DIR",
		        path, st->st_mode & 07777);
	return 0;
}

int state_dir_open(struct state_dir *ret, struct rtreg_error *error)
{
	const char *path = getenv("RTREG_STATE_DIR");
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (!path || !*path)
		path = DEFAULT_PATH;
	if (path[0] != '/')
		return error_set(error, -EINVAL, path, "RTREG_STATE_DIR=%s: it must be an absolute path",
		                 path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_open(path, -errno, error);
	if (fstat(fd, &st) < 0)
		return fail_open(path, -errno, error);
	r = check(path, &st, error);
	if (r < 0)
		return r;
	*ret = (struct state_dir){.path = path, .fd = take_fd(&fd), .owner = st.st_uid};
	return 0;
}
