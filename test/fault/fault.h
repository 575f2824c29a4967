/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the N-th allocation, or the N-th call of one kind, fail. The calls of the library's own objects are
 * caught by the linker (--wrap, see meson.build), which works beside a sanitizer's allocator too. What other
 * libraries call is left alone: json-c 0.16 does not survive lack of memory, and everything that it builds it
 * allocates by itself, so that no fault reaches json_tokener_new_ex() and json_tokener_parse_ex().
 */
#ifndef RTREG_TEST_FAULT_H
#define RTREG_TEST_FAULT_H

#include <stdbool.h>

enum fault_call {
	FAULT_OPEN,
	FAULT_OPENAT,
	FAULT_WRITE,
	FAULT_PWRITE,
	FAULT_FTRUNCATE,
	FAULT_FCHMOD,
	FAULT_FSYNC,
	FAULT_RENAMEAT,
	FAULT_LINKAT,
	FAULT_UNLINKAT,
	FAULT_MKDIR,
	FAULT_MKDIRAT,
	FAULT_FLOCK,
	FAULT_PIPE2,
	FAULT_POSIX_SPAWN,
	FAULT_PTHREAD_CREATE,
	FAULT_CALLS,
};

/* The `nth` allocation of this thread from now on fails, once; counted from 1. */
void fault_memory(unsigned long nth);

/* The `nth` call from now on, of any thread, fails with `code`; with `lasting` all that follow it too. */
void fault_call(enum fault_call call, unsigned long nth, int code, bool lasting);

/* The `nth` of all these calls from now on, of any thread, is not made: the process is killed. */
void fault_crash(unsigned long nth);

/* No more faults. Whether there was one. */
bool fault_end(void);

const char *fault_name(enum fault_call call);

#endif
