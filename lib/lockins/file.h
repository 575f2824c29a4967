/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of this folder share. Nobody else includes this. */
#ifndef RTREG_LOCKINS_FILE_H
#define RTREG_LOCKINS_FILE_H

#include "lockins/lockins.h"

/* Fills `error` with `state directory STATE: cannot WHAT: …`, and returns the code as state_code() has it. */
int lockins_fail(const struct lockins *lockins, int code, struct rtreg_error *error, const char *what, ...)
        __attribute__((format(printf, 4, 5)));

/* Opens the directory `name` in `parent`; a link is not followed. -errno, without a message. */
int lockins_open_directory(int parent, const char *name);
/* The same for STATE/lock-ins/NAME, neither of which may be a link. */
int lockins_open_below(const struct lockins *lockins, const char *name);
/* Opens STATE/lock-ins/NAME, making both if missing, durably. */
int lockins_make_directory(struct lockins *lockins, const char *name, int *ret, struct rtreg_error *error);

/*
 * Reads a regular file whole; links are not followed. *ret is malloc'ed and NUL-terminated; *ret_fd (may be NULL) its
 * descriptor. -EBADMSG: no regular file, or too large; else -errno. Without a message.
 */
int lockins_read_file(int directory, const char *name, char **ret, size_t *ret_length, int *ret_fd);

/* Makes a dot-file with this content. `name` gets its name. -errno; nothing is left then. */
#define DOT_FILE_MAX 32
int lockins_write_dot_file(int directory, const char *bytes, size_t size, bool durable,
                           char name[DOT_FILE_MAX]);

/* Reads the lock-in DIRECTORY/ID below the descriptor `directory`, whose name in messages is `shown`. */
int lockins_read_at(const struct lockins *lockins, int directory, const char *shown, const char *id,
                    struct rtreg_lock_in *ret, int *ret_fd, struct rtreg_error *error);

/* -ESRCH: `container ID is not locked in`. */
int lockins_none(const struct lock_in_name *name, struct rtreg_error *error);

/* Opens the directory of a root; -ESRCH as lockins_none(). */
int lockins_open_root(const struct lockins *lockins, const struct lock_in_name *name, int *ret,
                      struct rtreg_error *error);

#endif
