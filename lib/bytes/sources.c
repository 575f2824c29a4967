/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bytes/sources.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/problems.h"
#include "base/utf8.h"
#include "bytes/source.h"

#define DROPIN_SUFFIX ".json"
#define READS_MAX     16 /* of a drop-in that is there and is not, before it is believed to lead nowhere */

void sources_fini(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].name);
		free(sources->items[i].path);
		free(sources->items[i].owned);
	}
	free(sources->items);
	*sources = (struct sources){0};
}

/* Takes over what `source` owns, on failure too. */
static int add(struct sources *sources, const struct source *source, struct rtreg_error *error)
{
	size_t capacity = sources->capacity ? 2 * sources->capacity : 4;
	struct source *items = sources->items;

	if (sources->count == sources->capacity) {
		items = reallocarray(items, capacity, sizeof(*items));
		if (!items) {
			free(source->name);
			free(source->path);
			free(source->owned);
			return error_no_memory(error);
		}
		sources->items = items;
		sources->capacity = capacity;
	}
	items[sources->count++] = *source;
	sources->total += source->size;
	if (source->path && sources->total > SOURCES_TOTAL_MAX)
		return error_set(
		        error, -EFBIG, source->path,
		        "configuration file %s: with the files before it there are more than %zu bytes (64 "
		        "MiB), the limit",
		        source->path, SOURCES_TOTAL_MAX);
	return 0;
}

/* Takes the three over. `name` may point to NULL. */
static int add_owned(struct sources *sources, char **name, char **path, char **bytes, size_t size,
                     struct rtreg_error *error)
{
	/* Not in one initializer: C does not say whether `bytes` would be read or taken first. */
	struct source source = {.bytes = *bytes, .size = size};

	source.name = take(*name);
	source.path = take(*path);
	source.owned = take(*bytes);
	return add(sources, &source, error);
}

int sources_add_body(struct sources *sources, const void *bytes, size_t size, struct rtreg_error *error)
{
	return add(sources, &(struct source){.bytes = bytes, .size = size}, error);
}

static int read_file(struct sources *sources, const char *path, const char *name, struct rtreg_error *error)
{
	_cleanup_free_ char *bytes = NULL, *own_path = NULL, *own_name = NULL;
	size_t size = 0;
	int r = source_read(path, &bytes, &size, error);

	if (r < 0)
		return r;
	own_path = strdup(path);
	own_name = name ? strdup(name) : NULL;
	if (!own_path || (name && !own_name))
		return error_no_memory(error);
	return add_owned(sources, &own_name, &own_path, &bytes, size, error);
}

int sources_add_file(struct sources *sources, const char *path, struct rtreg_error *error)
{
	return read_file(sources, path, NULL, error);
}

/* --- the names in the directory --- */

struct names {
	char **items;
	size_t count, capacity;
};

static void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int names_add(struct names *names, const char *name)
{
	size_t capacity = names->capacity ? 2 * names->capacity : 16;
	char **items = names->items;

	if (names->count == names->capacity) {
		items = reallocarray(items, capacity, sizeof(*items));
		if (!items)
			return -ENOMEM;
		names->items = items;
		names->capacity = capacity;
	}
	items[names->count] = strdup(name);
	if (!items[names->count])
		return -ENOMEM;
	names->count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_dropin(const char *name)
{
	size_t length = strlen(name), suffix = strlen(DROPIN_SUFFIX);

	return name[0] != '.' && length > suffix && strcmp(name + length - suffix, DROPIN_SUFFIX) == 0;
}

static int fail_directory(const char *path, int code, struct rtreg_error *error)
{
	return error_set(error, -code, path, "cannot read configuration directory %s: %s; %s", path,
	                 fs_error_text(-code), fs_error_advice(-code));
}

static int list_open(DIR *dir, const char *path, struct names *names, struct rtreg_error *error)
{
	struct dirent *entry;

	while ((errno = 0, entry = readdir(dir))) {
		if (!is_dropin(entry->d_name))
			continue;
		if (names->count > DROPINS_MAX)
			return 0; /* one more than there may be: that is known by now */
		if (names_add(names, entry->d_name) < 0)
			return error_no_memory(error);
	}
	return errno ? fail_directory(path, errno, error) : 0;
}

/* A directory that is not there is empty; one that a link promises ought to be there. */
static int list_missing(const char *path, struct rtreg_error *error)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	return error_set(error, -ENOENT, path,
	                 "configuration directory %s: is a link to a directory that is missing", path);
}

static int list(const char *path, struct names *names, struct rtreg_error *error)
{
	_cleanup_closedir_ DIR *dir = opendir(path);

	/* A name too long to exist is that of nothing. */
	if (!dir && (errno == ENOENT || errno == ENAMETOOLONG))
		return list_missing(path, error);
	if (!dir)
		return fail_directory(path, errno, error);
	return list_open(dir, path, names, error);
}

/* The overlay's name is one of them, whether it is on disk or not. */
static int names_overlay(struct names *names, const struct overlay *overlay)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], overlay->name) == 0)
			return 0;
	return names_add(names, overlay->name);
}

/* --- reading them --- */

static int add_overlay(struct sources *sources, const char *path, const struct overlay *overlay,
                       struct rtreg_error *error)
{
	_cleanup_free_ char *name = NULL, *own_path = NULL, *bytes = NULL;
	int r;

	if (!overlay->bytes)
		return 0;
	name = strdup(overlay->name);
	own_path = strdup(path);
	bytes = malloc(overlay->size + 1);
	if (!name || !own_path || !bytes)
		return error_no_memory(error);
	memcpy(bytes, overlay->bytes, overlay->size);
	r = add_owned(sources, &name, &own_path, &bytes, overlay->size, error);
	if (r == 0)
		sources->items[sources->count - 1].overlaid = true;
	return r;
}

/*
 * A link to nothing is an error; what has been removed since the directory was listed is gone, unless it is
 * back already: it may be somebody's way to replace a file.
 */
static int read_dropin(struct sources *sources, const char *path, const char *name, struct rtreg_error *error)
{
	struct stat st;
	int r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < READS_MAX; i++) {
		rtreg_error_fini(error);
		r = read_file(sources, path, name, error);
		if (r == -ENOENT && lstat(path, &st) < 0 && errno == ENOENT) {
			rtreg_error_fini(error);
			return 0;
		}
	}
	return r;
}

static int add_dropin(struct sources *sources, const char *path, const char *name, struct rtreg_error *error)
{
	/* Origins are shown as JSON. */
	if (!utf8_is_valid(name))
		return error_set(error, -EINVAL, "configuration",
		                 "configuration file %s: its name is not UTF-8; rename it", path);
	return read_dropin(sources, path, name, error);
}

static int add_all(struct sources *sources, const char *directory, const struct names *names,
                   const struct overlay *overlay, struct rtreg_error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", directory, names->items[i]) < 0) {
			path = NULL;
			return error_no_memory(error);
		}
		if (overlay && strcmp(overlay->name, names->items[i]) == 0)
			r = add_overlay(sources, path, overlay, error);
		else
			r = add_dropin(sources, path, names->items[i], error);
	}
	return r;
}

int sources_add_dropins(struct sources *sources, const char *path, const struct overlay *overlay,
                        struct rtreg_error *error)
{
	_cleanup_(names_fini) struct names names = {0};
	_cleanup_free_ char *directory = NULL;
	int r;

	if (asprintf(&directory, "%s" DROPINS_SUFFIX, path) < 0) {
		directory = NULL;
		return error_no_memory(error);
	}
	r = list(directory, &names, error);
	if (r == 0 && overlay && names_overlay(&names, overlay) < 0)
		r = error_no_memory(error);
	if (r == 0 && names.count > DROPINS_MAX)
		r = error_set(error, -EINVAL, directory,
		              "configuration directory %s: has more than %d files *" DROPIN_SUFFIX
		              ", the limit",
		              directory, DROPINS_MAX);
	if (r < 0 || names.count == 0)
		return r;
	qsort(names.items, names.count, sizeof(names.items[0]), compare_names);
	return add_all(sources, directory, &names, overlay, error);
}
