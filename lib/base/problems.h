/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was found while a configuration was looked at: errors, warnings, ignored keys, each in the order
 * found. Filled by the stations of lib/, turned into a struct rtreg_error and a report by lib/registry.
 */
#ifndef RTREG_BASE_PROBLEMS_H
#define RTREG_BASE_PROBLEMS_H

#include <errno.h>
#include <stdarg.h>

#include "base/cleanup.h"
#include "rtreg/rtreg.h"

struct problem {
	int code;
	char *where;
	char *message;
};

struct problem_list {
	struct problem *items;
	size_t count, capacity;
};

/* Zeroed is empty. `failed`: memory ran out while adding; problems_result() then says -ENOMEM. */
struct problems {
	struct problem_list errors, warnings, ignored;
	bool failed;
};

void problems_fini(struct problems *problems);

/*
 * `where` may be NULL; `code` is a negative errno. The very same error (where and message) twice is kept
 * once.
 */
void problems_error(struct problems *problems, int code, const char *where, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void problems_warn(struct problems *problems, const char *where, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* A key without effect: in the report's "ignored", with the reason, and a warning `KEY: reason`. */
void problems_ignore(struct problems *problems, const char *key, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Adds the warnings of `from` to those of `to`, and leaves `from` empty. */
void problems_take_warnings(struct problems *to, struct problems *from);

/*
 * Adds all of `from`, and leaves it empty. What was found in one of several files begins with `path`, an
 * error's place with `name`; NULL adds neither.
 */
void problems_take_of(struct problems *to, struct problems *from, const char *path, const char *name);

/* Adds a copy of one error in the same way. */
void problems_copy_of(struct problems *to, const struct problem *error, const char *path, const char *name);

/*
 * Fills `error` (NULL allowed) from the errors, the first is the primary one; returns its code, or 0 if there
 * is none.
 */
int problems_result(const struct problems *problems, struct rtreg_error *error);

/* Fills `error` (NULL allowed) with one message and returns `code`. */
int error_set(struct rtreg_error *error, int code, const char *where, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* The same for a message that is one line already, and without allocating anything. */
int error_set_line(struct rtreg_error *error, int code, const char *where, const char *line);
/* Adds a further message behind what `error` holds; the first stays primary. */
void error_add(struct rtreg_error *error, int code, const char *where, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* Moves what `from` holds to `error` (NULL allowed), in place of what is there. */
void error_move(struct rtreg_error *error, struct rtreg_error *from);
/* As error_set() with -ENOMEM. */
static inline int error_no_memory(struct rtreg_error *error)
{
	error_set(error, -ENOMEM, NULL, "out of memory");
	return -ENOMEM;
}

static inline void problems_finip(struct problems *problems)
{
	problems_fini(problems);
}
#define _cleanup_problems_ _cleanup_(problems_finip)

static inline void rtreg_error_finip(struct rtreg_error *error)
{
	rtreg_error_fini(error);
}
#define _cleanup_error_ _cleanup_(rtreg_error_finip)

#endif
