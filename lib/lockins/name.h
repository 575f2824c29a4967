/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a lock-in is called: the container's id below the runtime's --root, and from these the directory and the
 * file that hold it (docs/lockins.md). And the boot that one may belong to.
 */
#ifndef RTREG_LOCKINS_NAME_H
#define RTREG_LOCKINS_NAME_H

#include <limits.h>
#include <stdbool.h>

#include "base/digest.h"
#include "rtreg/rtreg.h"

#define LOCK_IN_ID_MAX  128
#define LOCK_IN_NO_ROOT "_" /* the directory of those without a root */
#define BOOT_ID_LENGTH  36

struct lock_in_name {
	char id[LOCK_IN_ID_MAX + 1];
	char root[PATH_MAX];               /* clean; "": none */
	char directory[DIGEST_LENGTH + 1]; /* in STATE/lock-ins: that of the root */
};

/*
 * Checks `root` (NULL or "": none) and `id`, and makes the root clean as a path: no `//`, `/./`, `/../`, no slash at
 * its end. -EINVAL with what is allowed. lock_in_name_of_root() leaves the id empty.
 */
int lock_in_name_init(struct lock_in_name *ret, const char *root, const char *id, struct rtreg_error *error);
int lock_in_name_of_root(struct lock_in_name *ret, const char *root, struct rtreg_error *error);

bool lock_in_id_is_valid(const char *id);
/* Whether an entry of STATE/lock-ins can be the directory of a root. */
bool lock_in_directory_is_valid(const char *directory);

/* This boot's, as /proc/sys/kernel/random/boot_id has it. Negative errno. */
int boot_id_read(char ret[BOOT_ID_LENGTH + 1]);
bool boot_id_is_valid(const char *boot_id);

#endif
