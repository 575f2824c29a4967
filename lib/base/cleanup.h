/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleanup attributes for locals: `_cleanup_free_ char *name = NULL;`. Each sees the variable at every way out
 * of its scope; take() moves a value out, so that the cleanup finds NULL.
 */
#ifndef RTREG_BASE_CLEANUP_H
#define RTREG_BASE_CLEANUP_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_free_     _cleanup_(cleanup_freep)
#define _cleanup_close_    _cleanup_(cleanup_closep)
#define _cleanup_closedir_ _cleanup_(cleanup_closedirp)

/* Moves a pointer out of a variable and leaves NULL there. */
#define take(pointer)                                    \
	__extension__({                                  \
		__typeof__(pointer) *_from = &(pointer); \
		__typeof__(pointer) _taken = *_from;     \
		*_from = NULL;                           \
		_taken;                                  \
	})

/* Moves a descriptor out of a variable and leaves -1 there. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
