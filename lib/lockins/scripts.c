/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The second copies of the wrapper scripts that lock-ins need: STATE/lock-ins/scripts/<sha256>. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "lockins/file.h"

#define SCRIPTS_PATH LOCKINS_DIR "/" LOCKINS_SCRIPTS_DIR

/* The digest at the end of a script's name, NAME.<sha256>; NULL: that is no script's name. */
static const char *digest_of(const char *name)
{
	size_t length = strlen(name);
	const char *digest;

	if (length > SCRIPT_NAME_MAX || length < DIGEST_LENGTH + 2 || strchr(name, '/') || name[0] == '.')
		return NULL;
	digest = name + length - DIGEST_LENGTH;
	if (digest[-1] != '.' || strspn(digest, "0123456789abcdef") != DIGEST_LENGTH)
		return NULL;
	return digest;
}

/* --- keeping --- */

static bool is_kept(int directory, const char *digest, const struct script *script)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	return lockins_read_file(directory, digest, &text, &length, NULL) == 0 && length == script->length &&
	       memcmp(text, script->content, length) == 0;
}

static int keep(int directory, const char *digest, const struct script *script)
{
	char temporary[DOT_FILE_MAX];
	int r;

	if (is_kept(directory, digest, script))
		return 0;
	r = lockins_write_dot_file(directory, script->content, script->length, true, temporary);
	if (r < 0)
		return r;
	if (renameat(directory, temporary, directory, digest) < 0) {
		r = -errno;
		unlinkat(directory, temporary, 0);
		return r;
	}
	if (fsync(directory) == 0)
		return 0;
	/* Whoever finds it takes it for durable. */
	r = -errno;
	unlinkat(directory, digest, 0);
	return r;
}

int lockins_keep_script(struct lockins *lockins, const struct script *script, struct rtreg_error *error)
{
	_cleanup_close_ int directory = -1;
	int r = lockins_make_directory(lockins, LOCKINS_SCRIPTS_DIR, &directory, error);

	if (r < 0)
		return r;
	pthread_mutex_lock(&lockins->making);
	r = keep(directory, digest_of(script->name), script);
	pthread_mutex_unlock(&lockins->making);
	return r < 0 ? lockins_fail(lockins, r, error, "keep the wrapper script %s in " SCRIPTS_PATH,
	                            script->name)
	             : 0;
}

/* --- reading --- */

/* 0: the file is there, and what the digest says. -EBADMSG: it is not; else -errno. */
static int read_proved(int directory, const char *name, const char *digest, struct script *script)
{
	char found[DIGEST_LENGTH + 1];
	int r;

	r = directory < 0 ? directory
	                  : lockins_read_file(directory, name, &script->content, &script->length, NULL);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	digest_hex(script->content, script->length, found);
	if (strcmp(found, digest) == 0)
		return 0;
	script_fini(script);
	return -EBADMSG;
}

int lockins_read_script(const struct lockins *lockins, const char *name, const char *directory,
                        struct script *ret, bool *ret_kept, struct rtreg_error *error)
{
	const char *digest = digest_of(name);
	_cleanup_close_ int copies = -1, originals = -1;
	struct script script = {0};
	int kept, there = -EBADMSG, r;

	if (!digest)
		return error_set(error, -EBADMSG, name, "\"%s\" is no wrapper script's name", name);
	copies = lockins_open_below(lockins, LOCKINS_SCRIPTS_DIR);
	kept = read_proved(copies, digest, digest, &script);
	if (kept < 0 && kept != -ENOMEM && directory) {
		originals = lockins_open_directory(lockins->state, directory);
		there = read_proved(originals, name, digest, &script);
	}
	if (kept < 0 && there < 0) {
		/* Where one of them cannot be told, it is not lost yet. */
		r = kept == -EBADMSG ? there : kept;
		if (r == -EBADMSG)
			return error_set(error, r, name, "%s/" SCRIPTS_PATH "/%s is missing or damaged",
			                 lockins->path, digest);
		return lockins_fail(lockins, r, error, "read " SCRIPTS_PATH "/%s", digest);
	}
	memcpy(script.name, name, strlen(name) + 1);
	*ret = script;
	*ret_kept = kept == 0;
	return 0;
}

/* --- sweeping --- */

static int compare_digests(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

/* What is to stay. */
struct needed {
	bool all;
	const char *const *digests;
	size_t count;
};

static bool stays(const struct needed *needed, const char *name)
{
	if (name[0] == '.')
		return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
	return needed->all || (needed->count > 0 && bsearch(name, needed->digests, needed->count,
	                                                    sizeof(*needed->digests), compare_digests));
}

static void sweep(const struct lockins *lockins, DIR *stream, const struct needed *needed,
                  struct problems *problems)
{
	struct dirent *entry;

	while ((entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (!stays(needed, name) && unlinkat(dirfd(stream), name, 0) < 0 && errno != ENOENT)
			problems_warn(problems, lockins->path,
			              "cannot remove the unused %s/" SCRIPTS_PATH "/%s: %s", lockins->path,
			              name, fs_error_text(-errno));
	}
}

void lockins_sweep_scripts(struct lockins *lockins, bool all_stay, const char *const *digests, size_t count,
                           struct problems *problems)
{
	const struct needed needed = {.all = all_stay, .digests = digests, .count = count};
	int fd = lockins_open_below(lockins, LOCKINS_SCRIPTS_DIR);
	_cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (fd == -ENOENT)
		return;
	if (stream)
		sweep(lockins, stream, &needed, problems);
	if (!stream || fsync(dirfd(stream)) < 0)
		problems_warn(problems, lockins->path, "cannot tidy up %s/" SCRIPTS_PATH ": %s",
		              lockins->path, fs_error_text(fd < 0 ? fd : -errno));
	if (!stream && fd >= 0)
		close(fd);
}
