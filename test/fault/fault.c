/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The names that the linker makes; each __real_ has the prototype of what it stands for. */
#define WRAPPED(type, name, ...)         \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

static _Thread_local unsigned long memory_left;
static _Thread_local bool memory_failed;

static atomic_long crash_left;

static struct {
	atomic_int call; /* FAULT_CALLS: none */
	int code;
	bool lasting;
	atomic_long left;
	atomic_bool failed;
} io = {.call = FAULT_CALLS};

void fault_memory(unsigned long nth)
{
	memory_left = nth;
	memory_failed = false;
}

void fault_call(enum fault_call call, unsigned long nth, int code, bool lasting)
{
	io.code = code;
	io.lasting = lasting;
	atomic_store(&io.left, (long)nth);
	atomic_store(&io.failed, false);
	atomic_store(&io.call, call);
}

void fault_crash(unsigned long nth)
{
	atomic_store(&crash_left, (long)nth);
}

bool fault_end(void)
{
	bool failed = memory_failed || atomic_load(&io.failed);

	memory_left = 0;
	memory_failed = false;
	atomic_store(&crash_left, 0);
	atomic_store(&io.call, FAULT_CALLS);
	atomic_store(&io.failed, false);
	return failed;
}

const char *fault_name(enum fault_call call)
{
	static const char *const names[FAULT_CALLS] = {
	        "open",  "openat",   "write",       "pwrite",         "ftruncate", "fchmod",
	        "fsync", "renameat", "linkat",      "unlinkat",       "mkdir",     "mkdirat",
	        "flock", "pipe2",    "posix_spawn", "pthread_create",
	};

	return names[call];
}

/* --- memory --- */

static bool memory_fails(void)
{
	if (memory_left == 0 || --memory_left > 0)
		return false;
	memory_failed = true;
	errno = ENOMEM;
	return true;
}

WRAPPED(void *, malloc, size_t size)
{
	return memory_fails() ? NULL : __real_malloc(size);
}

WRAPPED(void *, calloc, size_t count, size_t size)
{
	return memory_fails() ? NULL : __real_calloc(count, size);
}

WRAPPED(void *, aligned_alloc, size_t alignment, size_t size)
{
	return memory_fails() ? NULL : __real_aligned_alloc(alignment, size);
}

WRAPPED(void *, realloc, void *old, size_t size)
{
	return memory_fails() ? NULL : __real_realloc(old, size);
}

WRAPPED(void *, reallocarray, void *old, size_t count, size_t size)
{
	return memory_fails() ? NULL : __real_reallocarray(old, count, size);
}

WRAPPED(char *, strdup, const char *string)
{
	return memory_fails() ? NULL : __real_strdup(string);
}

WRAPPED(char *, strndup, const char *string, size_t length)
{
	return memory_fails() ? NULL : __real_strndup(string, length);
}

WRAPPED(int, vasprintf, char **ret, const char *format, va_list args)
{
	return memory_fails() ? -1 : __real_vasprintf(ret, format, args);
}

int __wrap_asprintf(char **ret, const char *format, ...);
int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return length;
}

WRAPPED(DIR *, fdopendir, int fd)
{
	return memory_fails() ? NULL : __real_fdopendir(fd);
}

/* --- calls --- */

/* 0, or the errno with which this call is to fail. */
static int call_fails(enum fault_call call)
{
	long left;

	if (atomic_load(&crash_left) > 0 && atomic_fetch_sub(&crash_left, 1) == 1)
		kill(getpid(), SIGKILL);
	if (atomic_load(&io.call) != (int)call)
		return 0;
	left = atomic_fetch_sub(&io.left, 1);
	if (left > 1 || (left < 1 && !io.lasting))
		return 0;
	atomic_store(&io.failed, true);
	return io.code;
}

static bool call_fails_errno(enum fault_call call)
{
	int code = call_fails(call);

	if (code)
		errno = code;
	return code != 0;
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return call_fails_errno(FAULT_OPEN) ? -1 : __real_open64(path, flags, mode);
}

int __real_openat64(int directory, const char *path, int flags, ...);
int __wrap_openat64(int directory, const char *path, int flags, ...);
int __wrap_openat64(int directory, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return call_fails_errno(FAULT_OPENAT) ? -1 : __real_openat64(directory, path, flags, mode);
}

/* Half of it is written before the disk is full. */
WRAPPED(ssize_t, write, int fd, const void *bytes, size_t size)
{
	if (!call_fails_errno(FAULT_WRITE))
		return __real_write(fd, bytes, size);
	if (size > 1 && __real_write(fd, bytes, size / 2) < 0)
		return -1;
	errno = io.code;
	return -1;
}

WRAPPED(ssize_t, pwrite64, int fd, const void *bytes, size_t size, off_t offset)
{
	return call_fails_errno(FAULT_PWRITE) ? -1 : __real_pwrite64(fd, bytes, size, offset);
}

WRAPPED(int, ftruncate64, int fd, off_t size)
{
	return call_fails_errno(FAULT_FTRUNCATE) ? -1 : __real_ftruncate64(fd, size);
}

WRAPPED(int, fchmod, int fd, mode_t mode)
{
	return call_fails_errno(FAULT_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

/* No power fails here, so that nothing need reach the disk: that would be most of the time. */
WRAPPED(int, fsync, int fd)
{
	if (call_fails_errno(FAULT_FSYNC))
		return -1;
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

WRAPPED(int, renameat, int from_fd, const char *from, int to_fd, const char *to)
{
	return call_fails_errno(FAULT_RENAMEAT) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

WRAPPED(int, linkat, int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return call_fails_errno(FAULT_LINKAT) ? -1 : __real_linkat(from_fd, from, to_fd, to, flags);
}

WRAPPED(int, unlinkat, int fd, const char *path, int flags)
{
	return call_fails_errno(FAULT_UNLINKAT) ? -1 : __real_unlinkat(fd, path, flags);
}

WRAPPED(int, mkdir, const char *path, mode_t mode)
{
	return call_fails_errno(FAULT_MKDIR) ? -1 : __real_mkdir(path, mode);
}

WRAPPED(int, mkdirat, int fd, const char *path, mode_t mode)
{
	return call_fails_errno(FAULT_MKDIRAT) ? -1 : __real_mkdirat(fd, path, mode);
}

WRAPPED(int, flock, int fd, int operation)
{
	return call_fails_errno(FAULT_FLOCK) ? -1 : __real_flock(fd, operation);
}

WRAPPED(int, pipe2, int *ends, int flags)
{
	return call_fails_errno(FAULT_PIPE2) ? -1 : __real_pipe2(ends, flags);
}

WRAPPED(int, posix_spawn, pid_t *pid, const char *path, const posix_spawn_file_actions_t *files,
        const posix_spawnattr_t *attributes, char *const *argv, char *const *environment)
{
	int code = call_fails(FAULT_POSIX_SPAWN);

	return code ? code : __real_posix_spawn(pid, path, files, attributes, argv, environment);
}

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
        void *argument)
{
	int code = call_fails(FAULT_PTHREAD_CREATE);

	return code ? code : __real_pthread_create(thread, attributes, fn, argument);
}
