/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removing. Two may want to remove the one that they have read, while a third makes a new one under its name: so who
 * removes a file holds its lock from the comparison to the end, and the second finds that the name is no longer its.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "lockins/file.h"

#define LOCK_WAIT_MS  5000
#define LOCK_RETRY_NS 1000000

/* 0: the name still means the file behind `fd`; -ESRCH: nothing; -ESTALE: another. */
static int compare(int root, const char *id, int fd)
{
	struct stat ours, there;

	if (fstat(fd, &ours) < 0)
		return -EIO;
	if (fstatat(root, id, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ESRCH : -EIO;
	return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino ? 0 : -ESTALE;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Waits for whoever else is removing it, unless that has been done, or he has stopped. By the clock: on a busy machine
 * a pause takes as long as the others please.
 */
static int lock(int root, const char *id, int fd)
{
	static const struct timespec pause = {.tv_nsec = LOCK_RETRY_NS};
	const int64_t deadline_ms = now_ms() + LOCK_WAIT_MS;
	int r;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		r = compare(root, id, fd);
		if (r < 0)
			return r;
		if (now_ms() >= deadline_ms)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int remove_locked(int root, const char *id, int fd)
{
	int r = lock(root, id, fd);

	if (r < 0)
		return r;
	r = compare(root, id, fd);
	if (r == 0 && unlinkat(root, id, 0) < 0)
		r = errno == ENOENT ? -ESRCH : -errno;
	/* Closing would not do: a child that another thread has forked holds the lock until its exec. */
	flock(fd, LOCK_UN);
	return r;
}

static int fail(const struct lockins *lockins, const struct lock_in_name *name, int code,
                struct rtreg_error *error)
{
	if (code == -ESRCH)
		return lockins_none(name, error);
	if (code == -ESTALE)
		return error_set(error, code, name->id, "container %s has been locked in anew meanwhile",
		                 name->id);
	if (code == -EBUSY)
		return error_set(
		        error, code, name->id,
		        "another process is removing the lock-in of container %s and does not finish: end "
		        "it, and try again",
		        name->id);
	return lockins_fail(lockins, code, error, "remove " LOCKINS_DIR "/%s/%s", name->directory, name->id);
}

static int sync_removal(const struct lockins *lockins, const struct lock_in_name *name, int root,
                        struct rtreg_error *error)
{
	if (fsync(root) == 0)
		return 0;
	return lockins_fail(lockins, -errno, error, "make the removal of " LOCKINS_DIR "/%s/%s durable",
	                    name->directory, name->id);
}

int lockins_remove_read(const struct lockins *lockins, const struct lock_in_name *name, int fd, bool durable,
                        struct rtreg_error *error)
{
	_cleanup_close_ int root = -1;
	int r = lockins_open_root(lockins, name, &root, error);

	if (r < 0)
		return r;
	r = remove_locked(root, name->id, fd);
	if (r < 0)
		return fail(lockins, name, r, error);
	return durable ? sync_removal(lockins, name, root, error) : 0;
}

/* What is no lock-in is never made anew under its name: there is nothing to compare. */
static int remove_damaged(const struct lockins *lockins, const struct lock_in_name *name,
                          struct rtreg_error *error)
{
	_cleanup_close_ int root = -1;
	int r = lockins_open_root(lockins, name, &root, error);

	if (r < 0)
		return r;
	if (unlinkat(root, name->id, 0) < 0)
		return fail(lockins, name, errno == ENOENT ? -ESRCH : -errno, error);
	return sync_removal(lockins, name, root, error);
}

int lockins_remove(const struct lockins *lockins, const struct lock_in_name *name, const char *locked,
                   struct rtreg_error *error)
{
	int r = -ESTALE;

	/* One that is made anew meanwhile is whichever, too. */
	while (r == -ESTALE) {
		_cleanup_lock_in_ struct rtreg_lock_in found = {0};
		_cleanup_close_ int fd = -1;

		r = lockins_read(lockins, name, &found, &fd, error);
		if (r == -EBADMSG && !locked)
			return remove_damaged(lockins, name, error);
		if (r < 0)
			return r;
		if (locked && strcmp(found.locked, locked) != 0)
			return fail(lockins, name, -ESTALE, error);
		r = lockins_remove_read(lockins, name, fd, !found.boot_id, error);
		if (locked)
			break;
	}
	return r;
}
