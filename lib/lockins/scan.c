/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All lock-ins: a walk over STATE/lock-ins and the directories of roots in it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "lockins/file.h"

/* What is done with each directory of a root, and each entry of one. */
struct walk {
	int (*entry)(void *context, int directory, const char *shown, const struct dirent *entry);
	/* After its entries. May be NULL. */
	int (*directory)(void *context, int all, int directory, const char *name);
	/* What has no place here. May be NULL. */
	void (*stranger)(void *context, const char *directory, const char *name);
	void *context;
};

/* Takes `fd` over. */
static int open_stream(int fd, DIR **ret)
{
	int r;

	if (fd < 0)
		return fd;
	*ret = fdopendir(fd);
	if (*ret)
		return 0;
	r = -errno;
	close(fd);
	return r;
}

/* The next entry but `.` and `..`; NULL at the end, or with an error. */
static struct dirent *next_entry(DIR *stream, int *ret)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(stream);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	*ret = entry ? 0 : -errno;
	return entry;
}

static int walk_root(const struct walk *walk, int all, const char *name)
{
	_cleanup_closedir_ DIR *stream = NULL;
	struct dirent *entry;
	int r = open_stream(lockins_open_directory(all, name), &stream);

	if ((r == -ENOTDIR || r == -ELOOP) && walk->stranger)
		walk->stranger(walk->context, NULL, name);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 0;
	while (r == 0 && (entry = next_entry(stream, &r)))
		r = walk->entry(walk->context, dirfd(stream), name, entry);
	if (r == 0 && walk->directory)
		r = walk->directory(walk->context, all, dirfd(stream), name);
	return r;
}

static int walk_all(const struct walk *walk, const struct lockins *lockins, const struct lock_in_name *root)
{
	_cleanup_closedir_ DIR *stream = NULL;
	struct dirent *entry;
	int r = open_stream(lockins_open_directory(lockins->state, LOCKINS_DIR), &stream);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (root)
		return walk_root(walk, dirfd(stream), root->directory);
	while (r == 0 && (entry = next_entry(stream, &r))) {
		if (strcmp(entry->d_name, LOCKINS_SCRIPTS_DIR) == 0)
			continue;
		if (lock_in_directory_is_valid(entry->d_name))
			r = walk_root(walk, dirfd(stream), entry->d_name);
		else if (walk->stranger)
			walk->stranger(walk->context, NULL, entry->d_name);
	}
	return r;
}

/* --- reading --- */

struct scan {
	const struct lockins *lockins;
	const struct lockins_visitor *visitor;
	struct rtreg_error error;
};

static void tell_stranger(void *context, const char *directory, const char *name)
{
	struct scan *scan = context;
	_cleanup_error_ struct rtreg_error why = {0};

	if (!directory && lock_in_directory_is_valid(name))
		error_set(&why, -EBADMSG, name,
		          "%s/" LOCKINS_DIR "/%s is no directory, so that the lock-ins that belong there "
		          "cannot be found: restore it, or remove it",
		          scan->lockins->path, name);
	else
		error_set(&why, -EINVAL, name,
		          "%s/" LOCKINS_DIR "/%s%s%s is not a lock-in and was left alone; remove it",
		          scan->lockins->path, directory ? directory : "", directory ? "/" : "", name);
	scan->visitor->bad(scan->visitor->context, &why);
}

static int read_entry(void *context, int directory, const char *shown, const struct dirent *entry)
{
	_cleanup_lock_in_ struct rtreg_lock_in lock_in = {0};
	struct scan *scan = context;
	int r;

	if (entry->d_name[0] == '.')
		return 0;
	if (!lock_in_id_is_valid(entry->d_name)) {
		tell_stranger(scan, shown, entry->d_name);
		return 0;
	}
	r = lockins_read_at(scan->lockins, directory, shown, entry->d_name, &lock_in, NULL, &scan->error);
	if (r == -ESRCH)
		return 0;
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	if (r < 0) {
		scan->visitor->bad(scan->visitor->context, &scan->error);
		return 0;
	}
	return scan->visitor->found(scan->visitor->context, directory, &lock_in);
}

int lockins_scan(const struct lockins *lockins, const struct lock_in_name *root,
                 const struct lockins_visitor *visitor, struct rtreg_error *error)
{
	struct scan scan = {.lockins = lockins, .visitor = visitor};
	struct walk walk = {.entry = read_entry, .stranger = tell_stranger, .context = &scan};
	int r = walk_all(&walk, lockins, root);

	rtreg_error_fini(&scan.error);
	return r < 0 ? lockins_fail(lockins, r, error, "read " LOCKINS_DIR) : 0;
}

/* --- counting --- */

static int count_entry(void *context, int directory, const char *shown, const struct dirent *entry)
{
	(void)directory;
	(void)shown;
	if (lock_in_id_is_valid(entry->d_name) && (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN))
		++*(size_t *)context;
	return 0;
}

int lockins_count(const struct lockins *lockins, size_t *ret, struct rtreg_error *error)
{
	size_t count = 0;
	struct walk walk = {.entry = count_entry, .context = &count};
	int r = walk_all(&walk, lockins, NULL);

	if (r < 0)
		return lockins_fail(lockins, r, error, "read " LOCKINS_DIR);
	*ret = count;
	return 0;
}

/* --- tidying up --- */

static int drop_dot_file(void *context, int directory, const char *shown, const struct dirent *entry)
{
	(void)context;
	(void)shown;
	if (entry->d_name[0] == '.')
		unlinkat(directory, entry->d_name, 0);
	return 0;
}

static int drop_or_sync(void *context, int all, int directory, const char *name)
{
	(void)context;
	if (unlinkat(all, name, AT_REMOVEDIR) == 0)
		return 0;
	return fsync(directory) < 0 ? -errno : 0;
}

int lockins_tidy(struct lockins *lockins, struct rtreg_error *error)
{
	struct walk walk = {.entry = drop_dot_file, .directory = drop_or_sync};
	_cleanup_close_ int all = lockins_open_directory(lockins->state, LOCKINS_DIR);
	int r;

	if (all == -ENOENT)
		return 0;
	r = all < 0 ? all : walk_all(&walk, lockins, NULL);
	if (r == 0 && (fsync(all) < 0 || fsync(lockins->state) < 0))
		r = -errno;
	return r < 0 ? lockins_fail(lockins, r, error, "tidy up " LOCKINS_DIR) : 0;
}
