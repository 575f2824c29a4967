/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A lock-in as a value, and its JSON: one object that files hold, the API serves and <rtreg/rtreg.h> shows. The
 * default runtime that is kept for those without a lock-in is the same without id, root and time.
 */
#ifndef RTREG_LOCKINS_LOCK_IN_H
#define RTREG_LOCKINS_LOCK_IN_H

#include "base/text.h"
#include "lockins/name.h"

/*
 * Appends the members of a runtime: "runtime", "shim", "options", "binary", "wrapper"; and all of a lock-in, as an
 * object.
 */
void lock_in_write_runtime(struct text *text, const struct rtreg_lock_in *lock_in);
void lock_in_write(struct text *text, const struct rtreg_lock_in *lock_in);

/*
 * Reads what lock_in_write() wrote; or an object of the members of a runtime, the others "" and 0. *ret is the
 * caller's, rtreg_lock_in_fini(). -EBADMSG: it is something else; -ENOMEM.
 */
int lock_in_parse(const char *text, size_t length, struct rtreg_lock_in *ret, struct rtreg_error *error);
int lock_in_parse_runtime(const char *text, size_t length, struct rtreg_lock_in *ret,
                          struct rtreg_error *error);

/* A copy of all strings, in memory of its own. -ENOMEM. */
int lock_in_copy(const struct rtreg_lock_in *from, struct rtreg_lock_in *ret);

/*
 * A string among the options, such as BinaryName of a runtime that has no binary; malloc'ed. *ret is NULL where there
 * is none. -ENOMEM.
 */
int lock_in_option(const struct rtreg_lock_in *lock_in, const char *name, char **ret);

static inline void lock_in_finip(struct rtreg_lock_in *lock_in)
{
	rtreg_lock_in_fini(lock_in);
}
#define _cleanup_lock_in_ __attribute__((cleanup(lock_in_finip)))

#endif
