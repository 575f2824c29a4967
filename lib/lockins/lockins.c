/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, reading and making. remove.c removes, scan.c has all of them, scripts.c their scripts. */
#include "lockins/lockins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "lockins/file.h"
#include "state/state.h"

#define DIRECTORY_MODE 0700
#define FILE_MODE      0600

int lockins_fail(const struct lockins *lockins, int code, struct rtreg_error *error, const char *what, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	if (code == -ENOMEM)
		return error_no_memory(error);
	va_start(args, what);
	if (vasprintf(&text, what, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return error_no_memory(error);
	return error_set(error, state_code(code), lockins->path, "state directory %s: cannot %s: %s; %s",
	                 lockins->path, text, fs_error_text(code), fs_error_advice(code));
}

/* --- opening --- */

void lockins_init(struct lockins *ret, int state, const char *path)
{
	struct stat st;

	*ret = (struct lockins){.state = state, .path = path};
	ret->owner = fstat(state, &st) == 0 ? st.st_uid : geteuid();
	pthread_mutex_init(&ret->making, NULL);
	turns_init(&ret->turns);
}

int lockins_open(struct lockins *ret, const char *path, struct rtreg_error *error)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(error, -errno, path, "state directory %s cannot be opened: %s; %s", path,
		                 fs_error_text(-errno), fs_error_advice(-errno));
	/* What stands in it is executed. */
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return error_set(
		        error, -EPERM, path,
		        "state directory %s is not to be trusted: it must belong to root or to user %u, "
		        "and be writable by nobody else (it is user %u's, mode %04o)",
		        path, geteuid(), st.st_uid, st.st_mode & 07777);
	lockins_init(ret, take_fd(&fd), path);
	ret->owned = true;
	return 0;
}

void lockins_fini(struct lockins *lockins)
{
	if (lockins->owned)
		close(lockins->state);
	pthread_mutex_destroy(&lockins->making);
	turns_fini(&lockins->turns);
}

int lockins_open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int lockins_open_below(const struct lockins *lockins, const char *name)
{
	_cleanup_close_ int all = lockins_open_directory(lockins->state, LOCKINS_DIR);

	return all < 0 ? all : lockins_open_directory(all, name);
}

int lockins_none(const struct lock_in_name *name, struct rtreg_error *error)
{
	return error_set(error, -ESRCH, name->id, "container %s is not locked in%s%s", name->id,
	                 name->root[0] ? " with root " : "", name->root);
}

int lockins_open_root(const struct lockins *lockins, const struct lock_in_name *name, int *ret,
                      struct rtreg_error *error)
{
	int fd = lockins_open_below(lockins, name->directory);

	if (fd == -ENOENT)
		return lockins_none(name, error);
	if (fd < 0)
		return lockins_fail(lockins, fd, error, "open " LOCKINS_DIR "/%s", name->directory);
	*ret = fd;
	return 0;
}

/* --- turns --- */

void lockins_turn_begin(struct lockins *lockins, struct lockins_turn *turn, const struct lock_in_name *name)
{
	snprintf(turn->name, sizeof(turn->name), "%s/%s", name->directory, name->id);
	turn_begin(&lockins->turns, &turn->turn, turn->name);
}

void lockins_turn_end(struct lockins *lockins, struct lockins_turn *turn)
{
	turn_end(&lockins->turns, &turn->turn);
}

/* --- reading --- */

int lockins_read_file(int directory, const char *name, char **ret, size_t *ret_length, int *ret_fd)
{
	/* Nothing that is there can make this wait, or go elsewhere. */
	_cleanup_close_ int fd =
	        openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EBADMSG : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)LOCK_IN_SIZE_MAX)
		return -EBADMSG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	r = fs_read_full(fd, text, (size_t)st.st_size, ret_length);
	if (r < 0)
		return r;
	text[*ret_length] = '\0';
	*ret = take(text);
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

/* What is read decides what is executed: nobody else may have written it. */
static int check_trust(const struct lockins *lockins, int fd, struct rtreg_error *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(why, -EBADMSG, NULL, "it cannot be looked at");
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != lockins->owner)
		return error_set(why, -EBADMSG, NULL, "it is not to be trusted: it belongs to user %u",
		                 st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(why, -EBADMSG, NULL,
		                 "it is not to be trusted: others may write to it (mode %04o)",
		                 st.st_mode & 07777);
	return 0;
}

/* Whether it is what its name says. */
static bool is_of(const struct rtreg_lock_in *lock_in, const char *directory, const char *id)
{
	struct lock_in_name name;

	return lock_in_name_init(&name, lock_in->root, lock_in->id, NULL) == 0 && strcmp(name.id, id) == 0 &&
	       strcmp(name.root, lock_in->root) == 0 && strcmp(name.directory, directory) == 0;
}

int lockins_read_at(const struct lockins *lockins, int directory, const char *shown, const char *id,
                    struct rtreg_lock_in *ret, int *ret_fd, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	_cleanup_lock_in_ struct rtreg_lock_in found = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t length = 0;
	int r = lockins_read_file(directory, id, &text, &length, &fd);

	if (r == -ENOENT)
		return error_set(error, -ESRCH, id, "container %s is not locked in", id);
	if (r < 0 && r != -EBADMSG)
		return lockins_fail(lockins, r, error, "read " LOCKINS_DIR "/%s/%s", shown, id);
	if (r < 0)
		error_set(&why, r, NULL, "it is no regular file, or too large");
	else
		r = check_trust(lockins, fd, &why);
	while (r == 0 && length > 0 && text[length - 1] == '\n')
		length--;
	if (r == 0)
		r = lock_in_parse(text, length, &found, &why);
	if (r == -ENOMEM)
		return error_no_memory(error);
	if (r == 0 && !is_of(&found, shown, id))
		r = error_set(&why, -EBADMSG, NULL, "it is that of container \"%s\", root \"%s\"", found.id,
		              found.root);
	if (r < 0)
		return error_set(error, -EBADMSG, id,
		                 "%s/" LOCKINS_DIR
		                 "/%s/%s is not a lock-in: %s; restore it, or remove it so that "
		                 "the container can be locked in again",
		                 lockins->path, shown, id, why.message);
	*ret = found;
	found = (struct rtreg_lock_in){0};
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

int lockins_read(const struct lockins *lockins, const struct lock_in_name *name, struct rtreg_lock_in *ret,
                 int *ret_fd, struct rtreg_error *error)
{
	_cleanup_close_ int root = -1;
	int r = lockins_open_root(lockins, name, &root, error);

	if (r == 0)
		r = lockins_read_at(lockins, root, name->directory, name->id, ret, ret_fd, error);
	return r == -ESRCH ? lockins_none(name, error) : r;
}

int lockins_default_runtime(const struct lockins *lockins, struct rtreg_lock_in *ret,
                            struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t length = 0;
	int r = lockins_read_file(lockins->state, DEFAULT_RUNTIME_FILE, &text, &length, &fd);

	if (r == -ENOENT)
		return error_set(error, -ESRCH, lockins->path,
		                 "there is no %s/" DEFAULT_RUNTIME_FILE ": rtregd has not run here",
		                 lockins->path);
	if (r < 0 && r != -EBADMSG)
		return lockins_fail(lockins, r, error, "read " DEFAULT_RUNTIME_FILE);
	if (r < 0)
		error_set(&why, r, NULL, "it is no regular file, or too large");
	else
		r = check_trust(lockins, fd, &why);
	if (r == 0)
		r = lock_in_parse_runtime(text, length, ret, &why);
	if (r == -ENOMEM)
		return error_no_memory(error);
	if (r < 0)
		return error_set(error, r, lockins->path,
		                 "%s/" DEFAULT_RUNTIME_FILE
		                 " is damaged: %s; the next reload of rtregd puts it right",
		                 lockins->path, why.message);
	return 0;
}

/* --- making --- */

/* Makes a directory whose name is durable, or none. Context: with `making` held. */
static int make_durably(int parent, const char *name)
{
	int r;

	if (mkdirat(parent, name, DIRECTORY_MODE) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fsync(parent) == 0)
		return 0;
	r = -errno;
	unlinkat(parent, name, AT_REMOVEDIR);
	return r;
}

static int make_both(int state, const char *name, int *ret)
{
	_cleanup_close_ int all = -1;
	int r = make_durably(state, LOCKINS_DIR), fd;

	if (r < 0)
		return r;
	all = lockins_open_directory(state, LOCKINS_DIR);
	if (all < 0)
		return all;
	r = make_durably(all, name);
	fd = r < 0 ? r : lockins_open_directory(all, name);
	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

int lockins_make_directory(struct lockins *lockins, const char *name, int *ret, struct rtreg_error *error)
{
	int r;

	pthread_mutex_lock(&lockins->making);
	r = make_both(lockins->state, name, ret);
	pthread_mutex_unlock(&lockins->making);
	return r < 0 ? lockins_fail(lockins, r, error, "make the directory " LOCKINS_DIR "/%s", name) : 0;
}

static int fill(int fd, const char *bytes, size_t size, bool durable)
{
	int r = fs_write_all(fd, bytes, size);

	return r == 0 && durable && fsync(fd) < 0 ? -errno : r;
}

int lockins_write_dot_file(int directory, const char *bytes, size_t size, bool durable,
                           char name[DOT_FILE_MAX])
{
	_cleanup_close_ int fd = -1;
	int r;

	/* No two threads have one number: whatever bears this name is a dead process's. */
	snprintf(name, DOT_FILE_MAX, ".tmp.%ld", (long)gettid());
	unlinkat(directory, name, 0);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -errno;
	r = fill(fd, bytes, size, durable);
	if (r < 0)
		unlinkat(directory, name, 0);
	return r;
}

static int place_dot_file(int directory, const char *name, const char *bytes, size_t size, bool durable)
{
	char temporary[DOT_FILE_MAX];
	int r = lockins_write_dot_file(directory, bytes, size, durable, temporary);

	if (r < 0)
		return r;
	r = linkat(directory, temporary, directory, name, 0) < 0 ? -errno : 0;
	unlinkat(directory, temporary, 0);
	return r;
}

static int place(int directory, const char *name, const char *bytes, size_t size, bool durable)
{
	_cleanup_close_ int fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
	int r;

	if (fd < 0 && !fs_lacks_tmpfile(errno))
		return -errno;
	if (fd < 0)
		return place_dot_file(directory, name, bytes, size, durable);
	r = fill(fd, bytes, size, durable);
	if (r < 0)
		return r;
	r = fs_link_unnamed(fd, directory, name);
	if (r == 0 || r == -EEXIST || r == -ENOSPC || r == -EDQUOT)
		return r;
	/* What else can be wrong is that such files cannot be linked here; a dot-file will tell. */
	return place_dot_file(directory, name, bytes, size, durable);
}

int lockins_create(struct lockins *lockins, const struct lock_in_name *name,
                   const struct rtreg_lock_in *lock_in, struct rtreg_error *error)
{
	_cleanup_text_ struct text text = {0};
	_cleanup_close_ int root = -1;
	bool durable = !lock_in->boot_id;
	int r;

	lock_in_write(&text, lock_in);
	text_append_char(&text, '\n');
	if (text.failed)
		return error_no_memory(error);
	if (text.length > LOCK_IN_SIZE_MAX)
		return error_set(error, -EINVAL, lock_in->runtime,
		                 "the options of runtime %s are too large for a lock-in", lock_in->runtime);
	r = lockins_make_directory(lockins, name->directory, &root, error);
	if (r < 0)
		return r;
	r = place(root, name->id, text.data, text.length, durable);
	if (r == -EEXIST)
		return r;
	if (r == 0 && durable && fsync(root) < 0) {
		r = -errno;
		unlinkat(root, name->id, 0);
	}
	return r < 0 ? lockins_fail(lockins, r, error, "write " LOCKINS_DIR "/%s/%s", name->directory,
	                            name->id)
	             : 0;
}
