/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/problems.h"

#define LOCK_FILE       "lock"
#define GENERATION_FILE "generation"
#define RESERVE         1000

struct state {
	char *directory;
	int fd, lock_fd;
	uint64_t used;     /* the last generation that was used */
	uint64_t reserved; /* the last that may be, as STATE/generation says */
};

static int fail(const struct state *state, struct rtreg_error *error, int code, const char *what)
{
	return error_set(error, code, state->directory,
	                 "state directory %s: %s: %s; %s, or name another directory", state->directory, what,
	                 strerror(-code), fs_error_advice(code));
}

/* mkdir -p; directories that are made above it get 0755. */
static int make_directories(const struct state *state, struct rtreg_error *error)
{
	_cleanup_free_ char *path = strdup(state->directory);

	if (!path)
		return error_no_memory(error);
	for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return error_set(error, -errno, state->directory,
			                 "state directory %s: cannot make %s: %s", state->directory, path,
			                 strerror(errno));
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, state->directory,
		                 "state directory %s: cannot be made: %s; make it, or name another",
		                 state->directory, strerror(errno));
	return 0;
}

static int open_directory(struct state *state, struct rtreg_error *error)
{
	struct stat st;
	int r = make_directories(state, error);

	if (r < 0)
		return r;
	state->fd = open(state->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->fd < 0)
		return fail(state, error, -errno, "cannot be opened");
	if (fstat(state->fd, &st) < 0)
		return fail(state, error, -errno, "cannot be read");
	if (st.st_uid != geteuid())
		return error_set(
		        error, -EPERM, state->directory,
		        "state directory %s belongs to user %u, not to user %u who runs this: change its "
		        "owner, or name another directory",
		        state->directory, st.st_uid, geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(
		        error, -EPERM, state->directory,
		        "state directory %s can be written by others (mode %04o): chmod go-w it, or name "
		        "another directory",
		        state->directory, st.st_mode & 07777);
	return 0;
}

static int take_lock(struct state *state, struct rtreg_error *error)
{
	char pid[32] = "";
	ssize_t length;

	state->lock_fd = openat(state->fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (state->lock_fd < 0)
		return fail(state, error, -errno, "cannot write to it");
	if (flock(state->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail(state, error, -errno, "cannot lock it");
		length = pread(state->lock_fd, pid, sizeof(pid) - 1, 0);
		pid[length > 0 ? strcspn(pid, "\n") : 0] = '\0';
		return error_set(error, -EBUSY, state->directory,
		                 "state directory %s is in use by process %s: stop that one, or name another "
		                 "directory",
		                 state->directory, pid[0] ? pid : "(unknown)");
	}
	snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(state->lock_fd, 0) < 0 || pwrite(state->lock_fd, pid, strlen(pid), 0) < 0)
		return fail(state, error, -errno, "cannot write to it");
	return 0;
}

static int read_generation(struct state *state, struct rtreg_error *error)
{
	_cleanup_close_ int fd = openat(state->fd, GENERATION_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[32] = "", *end = text;
	ssize_t length;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fail(state, error, -errno, "cannot read " GENERATION_FILE);
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return fail(state, error, -errno, "cannot read " GENERATION_FILE);
	errno = 0;
	if (text[0] >= '0' && text[0] <= '9')
		state->reserved = strtoull(text, &end, 10);
	if (end == text || *end != '\n' || errno != 0 || state->reserved > UINT64_MAX / 2)
		return error_set(
		        error, -EINVAL, state->directory,
		        "state directory %s: the file " GENERATION_FILE
		        " is damaged: write a number into it that is larger than any generation seen",
		        state->directory);
	state->used = state->reserved;
	return 0;
}

/* Durable, and whole or not at all: a new file, renamed over the old one. */
static int write_generation(struct state *state, uint64_t number, struct rtreg_error *error)
{
	static const char temporary[] = GENERATION_FILE ".new";
	_cleanup_close_ int fd = -1;
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRIu64 "\n", number), r;

	fd = openat(state->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(state, error, -errno, "cannot write " GENERATION_FILE);
	r = fs_write_all(fd, text, (size_t)length);
	if (r < 0)
		return fail(state, error, r, "cannot write " GENERATION_FILE);
	if (fsync(fd) < 0 || renameat(state->fd, temporary, state->fd, GENERATION_FILE) < 0 ||
	    fsync(state->fd) < 0)
		return fail(state, error, -errno, "cannot write " GENERATION_FILE);
	return 0;
}

int state_open(const char *directory, struct state **ret, struct rtreg_error *error)
{
	struct state *state = calloc(1, sizeof(*state));
	int r;

	if (!state)
		return error_no_memory(error);
	state->fd = state->lock_fd = -1;
	state->directory = strdup(directory);
	r = state->directory ? open_directory(state, error) : error_no_memory(error);
	if (r == 0)
		r = take_lock(state, error);
	if (r == 0)
		r = read_generation(state, error);
	if (r < 0) {
		state->reserved = state->used; /* nothing was used: nothing to note */
		state_close(state);
		return r;
	}
	*ret = state;
	return 0;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	if (state->reserved != state->used)
		write_generation(state, state->used, NULL);
	if (state->fd >= 0)
		close(state->fd);
	/* Closing would not do: a child that another thread has forked holds the lock until its exec. */
	if (state->lock_fd >= 0)
		flock(state->lock_fd, LOCK_UN);
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	free(state->directory);
	free(state);
}

int state_code(int code)
{
	switch (code) {
	case -EINVAL:
	case -EEXIST:
	case -ESRCH:
	case -ESTALE:
	case -ENOENT:
	case -ENOTDIR:
	case -EISDIR:
	case -ELOOP:
	case -EACCES:
	case -EFBIG:
		return -EIO;
	default:
		return code;
	}
}

int state_directory(const struct state *state)
{
	return state->fd;
}

int state_next_generation(struct state *state, uint64_t *ret, struct rtreg_error *error)
{
	int r;

	if (state->used == state->reserved) {
		r = write_generation(state, state->reserved + RESERVE, error);
		if (r < 0)
			return r;
		state->reserved += RESERVE;
	}
	*ret = state->used + 1;
	return 0;
}

void state_use_generation(struct state *state, uint64_t generation)
{
	state->used = generation;
}
