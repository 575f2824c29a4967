/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of this folder share: a state directory, and a lock-in to put there. */
#ifndef RTREG_TEST_LOCKINS_SUPPORT_H
#define RTREG_TEST_LOCKINS_SUPPORT_H

#include <errno.h>

#include "lockins/lockins.h"
#include "runtimes/temporary.h"
#include "unit.h"

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

static struct lockins lockins;
static struct lock_in_name web;
static struct rtreg_lock_in found;
static struct rtreg_error error;

static inline void lockins_setup(void)
{
	temporary_setup();
	ck_assert_int_eq(lockins_open(&lockins, temporary, NULL), 0);
	ck_assert_int_eq(lock_in_name_init(&web, NULL, "web", NULL), 0);
	memset(&found, 0, sizeof(found));
	memset(&error, 0, sizeof(error));
}

static inline void lockins_teardown(void)
{
	rtreg_lock_in_fini(&found);
	rtreg_error_fini(&error);
	lockins_fini(&lockins);
	temporary_teardown();
}

static inline struct rtreg_lock_in lock_in_of(const struct lock_in_name *name, const char *locked)
{
	return (struct rtreg_lock_in){.id = name->id,
	                              .root = name->root,
	                              .runtime = "r",
	                              .shim = "s",
	                              .locked = locked,
	                              .generation = 1};
}

static inline int create(const struct lock_in_name *name, const char *locked)
{
	struct rtreg_lock_in lock_in = lock_in_of(name, locked);

	return lockins_create(&lockins, name, &lock_in, &error);
}

static inline int create_for_boot(const struct lock_in_name *name, const char *locked)
{
	struct rtreg_lock_in lock_in = lock_in_of(name, locked);

	lock_in.boot_id = BOOT;
	return lockins_create(&lockins, name, &lock_in, &error);
}

static inline void must(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, error.message);
}

/* Reads `name` and tells its time; "" if there is none. */
static inline const char *locked_at(const struct lock_in_name *name)
{
	rtreg_lock_in_fini(&found);
	return lockins_read(&lockins, name, &found, NULL, &error) == 0 ? found.locked : "";
}

/* STATE/lock-ins/_/web as a file by hand. */
static inline const char *plant(const char *content)
{
	mkdir(temporary_path("lock-ins"), 0700);
	mkdir(temporary_path("lock-ins/_"), 0700);
	return write_file("lock-ins/_/web", content, 0600);
}

#endif
