/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"

/* The names beside a file; names are at most 255 bytes. */
struct beside {
	char new[264], old[264];
};

static void beside_init(struct beside *beside, const char *name)
{
	snprintf(beside->new, sizeof(beside->new), ".%.250s.new", name);
	snprintf(beside->old, sizeof(beside->old), ".%.250s.old", name);
}

static int write_new(int directory, const char *name, const void *bytes, size_t size, mode_t mode)
{
	_cleanup_close_ int fd = -1;
	int r;

	/* Whatever stands there is a dead process's. */
	unlinkat(directory, name, 0);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fs_write_all(fd, bytes, size);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

/* Keeps the old file under a second name. *ret: whether there is one. */
static int link_old(int directory, const char *name, const char *old, bool *ret)
{
	unlinkat(directory, old, 0);
	*ret = linkat(directory, name, directory, old, 0) == 0;
	return *ret || errno == ENOENT ? 0 : -errno;
}

static int exchange(const struct replacement *replacement, const struct beside *beside, bool remove)
{
	int r;

	if (!remove)
		r = renameat(replacement->directory, beside->new, replacement->directory, replacement->name);
	else
		r = replacement->had ? unlinkat(replacement->directory, replacement->name, 0) : 0;
	return r < 0 ? -errno : 0;
}

int replace_file(struct replacement *ret, int directory, const char *name, const void *bytes, size_t size,
                 mode_t mode)
{
	struct replacement made = {.directory = directory, .name = name};
	struct beside beside;
	int r = 0;

	beside_init(&beside, name);
	if (bytes)
		r = write_new(directory, beside.new, bytes, size, mode);
	if (r == 0)
		r = link_old(directory, name, beside.old, &made.had);
	if (r == 0) {
		r = exchange(&made, &beside, !bytes);
		made.done = r == 0;
	}
	if (r == 0 && fsync(directory) < 0)
		r = -errno;
	if (r == 0) {
		*ret = made;
		return 0;
	}
	unlinkat(directory, beside.new, 0);
	/* If it cannot even be put back, the old file is left for a person to find. */
	if (replacement_undo(&made) == 0)
		unlinkat(directory, beside.old, 0);
	return r;
}

void replacement_keep(struct replacement *replacement)
{
	struct beside beside;

	if (!replacement->done)
		return;
	beside_init(&beside, replacement->name);
	unlinkat(replacement->directory, beside.old, 0);
	*replacement = (struct replacement){0};
}

int replacement_undo(struct replacement *replacement)
{
	struct replacement undone = *replacement;
	struct beside beside;
	int r;

	*replacement = (struct replacement){0};
	if (!undone.done)
		return 0;
	beside_init(&beside, undone.name);
	if (undone.had)
		r = renameat(undone.directory, beside.old, undone.directory, undone.name);
	else
		r = unlinkat(undone.directory, undone.name, 0);
	if (r < 0 && !(errno == ENOENT && !undone.had))
		return -errno;
	return fsync(undone.directory) < 0 ? -errno : 0;
}
