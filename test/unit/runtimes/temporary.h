/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary directory for each test: a checked fixture makes it, its teardown removes it with all in it. */
#ifndef RTREG_TEST_TEMPORARY_H
#define RTREG_TEST_TEMPORARY_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char temporary[64];

static inline void temporary_setup(void)
{
	strcpy(temporary, "/tmp/rtreg-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(temporary));
}

static inline int temporary_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void temporary_teardown(void)
{
	nftw(temporary, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* DIR/name, in one of a few buffers that are used in turn. */
static inline const char *temporary_path(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	ck_assert_int_lt(snprintf(path, sizeof(paths[0]), "%s/%s", temporary, name), (int)sizeof(paths[0]));
	return path;
}

static inline void write_bytes(const char *path, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static inline const char *write_file(const char *name, const char *content, mode_t mode)
{
	const char *path = temporary_path(name);

	write_bytes(path, content, strlen(content), mode);
	return path;
}

/* Ends a test that this machine cannot run, for all to see. */
#define skip(reason)                                                    \
	do {                                                            \
		fprintf(stderr, "%s: skipped: %s\n", __func__, reason); \
		return;                                                 \
	} while (0)

#endif
