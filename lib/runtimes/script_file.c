/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtimes/script_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/fs.h"

/* Twice the coarsest clock tick: two changes nearer than this may bear the same time. */
#define SETTLE_MS 20

const char SCRIPT_MISSING[] = "missing";

struct script_file *script_file_new(const char *name, size_t length)
{
	size_t name_size = strlen(name) + 1;
	struct script_file *file;

	if (length > UINT32_MAX)
		return NULL;
	file = calloc(1, sizeof(*file) + name_size);
	if (!file)
		return NULL;
	file->length = (uint32_t)length;
	memcpy(file->name, name, name_size);
	return file;
}

void script_file_free(struct script_file *file)
{
	if (file)
		free(file->content);
	free(file);
}

int script_file_keep(struct script_file *file, const char *content)
{
	char *copy;

	if (file->content)
		return 0;
	copy = malloc((size_t)file->length + 1);
	if (!copy)
		return -ENOMEM;
	/* The length tells where it ends: a copy of a lock-in's script may hold anything that its digest proves. */
	memcpy(copy, content, file->length);
	file->content = copy;
	return 0;
}

/* A time past what 64 bits hold wraps, and is told from others all the same. */
static uint64_t nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static struct script_identity identity_of(const struct stat *st)
{
	return (struct script_identity){.device = st->st_dev,
	                                .inode = st->st_ino,
	                                .modified_ns = nanoseconds(&st->st_mtim),
	                                .changed_ns = nanoseconds(&st->st_ctim)};
}

static bool same_identity(const struct script_identity *a, const struct script_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->modified_ns == b->modified_ns &&
	       a->changed_ns == b->changed_ns;
}

static bool is_settled(const struct timespec *changed)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - changed->tv_sec) * 1000 + (now.tv_nsec - changed->tv_nsec) / 1000000 > SETTLE_MS;
}

static void remember(struct script_file *file, const struct stat *st, bool settled)
{
	file->identity = identity_of(st);
	file->settled = settled;
}

int script_file_remember(struct script_file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	remember(file, &st, is_settled(&st.st_ctim));
	return 0;
}

/* What can be told without reading it. */
static const char *outer_fault(const struct script_store *store, const struct script_file *file,
                               const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "a directory is in its place";
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_uid != store->uid)
		return "owner changed";
	if ((st->st_mode & 07777) != SCRIPT_MODE)
		return "mode changed";
	if (st->st_size != (off_t)file->length)
		return "content changed";
	return NULL;
}

static bool has_digest_of(const struct script_file *file, const char *content)
{
	size_t length = strlen(file->name);
	char digest[DIGEST_LENGTH + 1];

	digest_hex(content, file->length, digest);
	return length >= DIGEST_LENGTH && strcmp(file->name + length - DIGEST_LENGTH, digest) == 0;
}

/* Whether the file's content is right. Fails for want of memory or descriptors alone. */
static int compare_content(int fd, const struct script_file *file, const char **ret_fault)
{
	_cleanup_free_ char *content = malloc(file->length + 1);
	size_t length;

	if (!content)
		return -ENOMEM;
	if (fs_read_full(fd, content, file->length + 1, &length) < 0)
		*ret_fault = "cannot be read";
	else if (length != file->length || !has_digest_of(file, content))
		*ret_fault = "content changed";
	else
		*ret_fault = NULL;
	return 0;
}

/* The second, thorough look, at the opened file: the one that `st` was of may have been exchanged since. */
static int look_inside(struct script_store *store, struct script_file *file, const char **ret_fault)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	bool settled;
	int rc;

	fd = script_file_open(store, file);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	if (fd < 0 || fstat(fd, &st) < 0) {
		*ret_fault = "cannot be opened";
		return 0;
	}
	*ret_fault = outer_fault(store, file, &st);
	if (*ret_fault)
		return 0;
	/* Judged before the content is read: a change that comes after bears another time then. */
	settled = is_settled(&st.st_ctim);
	rc = compare_content(fd, file, ret_fault);
	if (rc == 0 && !*ret_fault)
		remember(file, &st, settled);
	return rc;
}

int script_file_look(struct script_store *store, struct script_file *file, const char **ret_fault)
{
	struct script_identity identity;
	const char *fault;
	struct stat st;
	int rc = 0;

	if (fstatat(store->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return -errno;
		fault = SCRIPT_MISSING;
	} else {
		identity = identity_of(&st);
		fault = outer_fault(store, file, &st);
		if (!fault && !(file->settled && same_identity(&file->identity, &identity)))
			rc = look_inside(store, file, &fault);
		if (rc == 0 && !fault && script_is_open_for_writing(store, file))
			fault = "open for writing, so that it cannot be executed";
	}
	if (rc == 0)
		*ret_fault = fault;
	return rc;
}
