/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state/rejected.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/text.h"

#define NEW_DIR     REJECTED_DIR ".new" /* being written, or removed */
#define OLD_DIR     REJECTED_DIR ".old"
#define MAIN_FILE   "daemon.json"
#define BODY_FILE   "body.json"
#define DROPINS_DIR MAIN_FILE DROPINS_SUFFIX
#define ERRORS_FILE "errors"

static int make_directory(int parent, const char *name, int *ret)
{
	int fd;

	if (mkdirat(parent, name, 0700) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

static int write_file(int directory, const char *name, const char *bytes, size_t size)
{
	_cleanup_close_ int fd =
	        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fs_write_all(fd, bytes, size);
}

static int write_sources(int directory, const struct sources *sources)
{
	_cleanup_close_ int dropins = -1;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sources->count; i++) {
		const struct source *source = &sources->items[i];

		if (source->name && dropins < 0)
			r = make_directory(directory, DROPINS_DIR, &dropins);
		if (r < 0)
			return r;
		if (source->name)
			r = write_file(dropins, source->name, source->bytes, source->size);
		else
			r = write_file(directory, source->path ? MAIN_FILE : BODY_FILE, source->bytes,
			               source->size);
	}
	return r;
}

static int write_errors(int directory, const struct rtreg_error *why)
{
	_cleanup_text_ struct text text = {0};

	text_printf(&text, "%s\n", why->message);
	for (size_t i = 0; why->more && i < why->more->count; i++)
		text_printf(&text, "%s\n", why->more->errors[i].message);
	return text.failed ? -ENOMEM : write_file(directory, ERRORS_FILE, text_string(&text), text.length);
}

static int write_set(int state, const struct sources *sources, const struct rtreg_error *why)
{
	_cleanup_close_ int directory = -1;
	int r = make_directory(state, NEW_DIR, &directory);

	if (r == 0)
		r = write_sources(directory, sources);
	if (r == 0)
		r = write_errors(directory, why);
	return r;
}

/* What an attempt that was cut short has left. */
static int remove_leftovers(int state)
{
	int r = fs_remove_tree(state, NEW_DIR), s = fs_remove_tree(state, OLD_DIR);

	return r < 0 ? r : s;
}

static int replace(int state)
{
	if (renameat2(state, NEW_DIR, state, REJECTED_DIR, RENAME_EXCHANGE) == 0)
		return fs_remove_tree(state, NEW_DIR);
	/* There is none, or the file system cannot exchange: then there is none for a moment. */
	if (errno != ENOENT && renameat(state, REJECTED_DIR, state, OLD_DIR) < 0 && errno != ENOENT)
		return -errno;
	if (renameat(state, NEW_DIR, state, REJECTED_DIR) < 0)
		return -errno;
	return fs_remove_tree(state, OLD_DIR);
}

int rejected_write(const struct state *state, const struct sources *sources, const struct rtreg_error *why)
{
	int directory = state_directory(state);
	int r = remove_leftovers(directory);

	if (r < 0)
		return r;
	r = write_set(directory, sources, why);
	if (r == 0)
		r = replace(directory);
	if (r < 0)
		remove_leftovers(directory);
	return r;
}

int rejected_remove(const struct state *state)
{
	int directory = state_directory(state);
	int r = remove_leftovers(directory);

	if (r < 0)
		return r;
	if (faccessat(directory, REJECTED_DIR, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* Out of sight first, so that nobody finds half of it. */
	if (renameat(directory, REJECTED_DIR, directory, NEW_DIR) < 0)
		return -errno;
	return fs_remove_tree(directory, NEW_DIR);
}
