/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cleanup.h"

#include "seen.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OWN_FRAGMENT "50-rtregctl.json" /* what the library's changes write */
#define TICKS_MAX    20
#define TICK_NS      1000000

bool seen_is_fragment(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(".json") &&
	       strcmp(name + length - strlen(".json"), ".json") == 0;
}

void seen_fini(struct seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->files[i].path);
	free(seen->files);
	*seen = (struct seen){0};
}

/* Takes `path`, whatever comes of it. */
static int add(struct seen *seen, char *path, struct seen_file **ret)
{
	struct seen_file *files = reallocarray(seen->files, seen->count + 1, sizeof(*files));

	if (files)
		seen->files = files;
	if (!files || !path) {
		free(path);
		return -ENOMEM;
	}
	*ret = &seen->files[seen->count++];
	**ret = (struct seen_file){.path = path};
	return 0;
}

static char *join(const char *a, const char *between, const char *b)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s", a, between, b) < 0 ? NULL : path;
}

static void look_at(struct seen_file *file, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0) {
		file->error = -errno;
		return;
	}
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->size = status.st_size;
	file->modified = status.st_mtim;
	file->changed = status.st_ctim;
}

static int add_file(struct seen *seen, char *path)
{
	struct seen_file *file;
	int rc = add(seen, path, &file);

	if (rc == 0)
		look_at(file, path);
	return rc;
}

static int only_fragments(const struct dirent *entry)
{
	return seen_is_fragment(entry->d_name) && strcmp(entry->d_name, OWN_FRAGMENT) != 0;
}

/* Leaves errno as it is. */
static bool is_link(const char *path)
{
	int before = errno;
	struct stat status;
	bool link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);

	errno = before;
	return link;
}

static int look_at_fragments(struct seen *seen, const char *directory)
{
	struct dirent **entries = NULL;
	struct seen_file *file;
	int count, rc = add(seen, strdup(directory), &file);

	if (rc < 0)
		return rc;
	/*
	 * Of the directory itself only whether it can be read: other names in it come and go, and a missing
	 * one is an empty one, unless it is a link that leads nowhere.
	 */
	count = scandir(directory, &entries, only_fragments, alphasort);
	if (count < 0 && errno == ENOMEM)
		return -ENOMEM;
	if (count < 0 && (errno != ENOENT || is_link(directory)))
		file->error = -errno;
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = add_file(seen, join(directory, "/", entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int seen_look(const char *config_file, struct seen *ret)
{
	_cleanup_free_ char *directory = join(config_file, FRAGMENTS_SUFFIX, "");
	_cleanup_free_ char *own = join(config_file, FRAGMENTS_SUFFIX "/", OWN_FRAGMENT);
	_cleanup_seen_ struct seen seen = {0};
	int rc;

	if (!directory || !own)
		return -ENOMEM;
	look_at(&seen.own, own);
	rc = add_file(&seen, strdup(config_file));
	if (rc == 0)
		rc = look_at_fragments(&seen, directory);
	if (rc < 0)
		return rc;
	*ret = seen;
	seen = (struct seen){0};
	return 0;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

void seen_wait_tick(const struct seen *seen)
{
	static const struct timespec pause = {.tv_nsec = TICK_NS};
	struct timespec newest = seen->own.changed, now;

	for (size_t i = 0; i < seen->count; i++)
		if (is_before(&newest, &seen->files[i].changed))
			newest = seen->files[i].changed;
	/* The clock that file systems take their times from. Bounded: a file can be from the future. */
	for (int i = 0; i < TICKS_MAX; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (is_before(&newest, &now))
			return;
		nanosleep(&pause, NULL);
	}
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool file_equal(const struct seen_file *a, const struct seen_file *b)
{
	return a->error == b->error && a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

bool seen_own_equal(const struct seen *a, const struct seen *b)
{
	return file_equal(&a->own, &b->own);
}

bool seen_equal(const struct seen *a, const struct seen *b)
{
	if (a->count != b->count || a->count == 0 || !seen_own_equal(a, b))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->files[i].path, b->files[i].path) != 0 ||
		    !file_equal(&a->files[i], &b->files[i]))
			return false;
	return true;
}
