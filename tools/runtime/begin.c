/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create, run and restore: which runtime a container gets. */
#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/problems.h"
#include "runtime/bundle.h"
#include "runtime/daemon.h"
#include "runtime/front_door.h"
#include "runtime/target.h"

/* A container that others create and delete at the same time. */
#define REPLACED_MAX 8

/* Whether what was found is of a container that lives, or was made for one that is to begin. */
static int counts(struct front_door *door, const char *boot_id, bool *ret_counts, struct rtreg_error *error)
{
	const struct rtreg_lock_in *lock_in = &door->held.lock_in;
	_cleanup_error_ struct rtreg_error why = {0};
	const char *path;
	int r;

	*ret_counts = true;
	if (!lock_in->boot_id)
		return 0;
	if (strcmp(lock_in->boot_id, boot_id) != 0) {
		*ret_counts = false;
		return 0;
	}
	if (door->invocation->command->kind == COMMAND_RESTORE)
		return 0;
	r = target_find(door->arena, &door->state, lock_in, &path, &why);
	if (r == 0)
		return known_ask(door, path, ret_counts, error);
	/* its container may be alive all the same, and the runtime come back */
	door->exit_code = rtreg_exit_code(&why);
	return error_set(error, r, door->container,
	                 "container %s is locked in to runtime %s, which cannot be asked whether it still "
	                 "knows it: %s; if there is none any more: rtregctl unlock",
	                 door->container, lock_in->runtime, why.message);
}

/* Removes what does not count, until there is one that does, or none. */
static int settle(struct front_door *door, const char *boot_id, struct rtreg_error *error)
{
	for (int removed = 0; door->held.found; removed++) {
		bool is_good;
		int r = counts(door, boot_id, &is_good, error);

		if (r < 0 || is_good)
			return r;
		if (removed == REPLACED_MAX)
			return error_set(
			        error, -EBUSY, door->container,
			        "container %s is being created and deleted by others at the same time",
			        door->container);
		r = held_unlock(&door->held, &door->lockins, error);
		if (r < 0)
			return r;
		held_fini(&door->held);
		r = held_find(&door->held, &door->lockins, &door->state, door->root, door->container, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_annotation(const struct front_door *door, const char *annotation, struct rtreg_error *error)
{
	const char *runtime = door->held.lock_in.runtime;

	if (!*annotation || strcmp(annotation, runtime) == 0)
		return 0;
	return error_set(
	        error, -EEXIST, door->container,
	        "container %s is locked in to runtime %s, but its annotation " RUNTIME_ANNOTATION
	        " names %s; nothing was created. Unlock it (rtregctl unlock), or change the annotation",
	        door->container, runtime, annotation);
}

/* The lock-in that the daemon answered with must be where the later commands look for it. */
static int read_back(struct front_door *door, const struct lock_in_name *name, const char *locked,
                     struct rtreg_error *error)
{
	int r = held_find(&door->held, &door->lockins, &door->state, door->root, door->container, error);

	if (r < 0)
		return r;
	if (door->held.found)
		return 0;
	if (locked)
		(void)daemon_unlock(name, locked, NULL);
	return error_set(
	        error, -ESRCH, door->state.path,
	        "rtregd has locked container %s in, but not in %s: set RTREG_STATE_DIR to where it keeps its "
	        "state",
	        door->container, door->state.path);
}

static int lock_in(struct front_door *door, const char *runtime, const char *boot_id,
                   struct rtreg_error *error)
{
	const char *locked = NULL;
	struct lock_in_name name;
	int r = lock_in_name_init(&name, door->root, door->container, error);

	if (r == 0)
		r = daemon_lock_in(door->arena, &name, runtime, boot_id, &locked, &door->exit_code, error);
	if (r == 0)
		r = read_back(door, &name, locked, error);
	door->created = r == 0 && locked;
	return r;
}

/* Which one it is to be, if what was found does not tell. */
static int choose(struct front_door *door, const char *boot_id, struct rtreg_error *error)
{
	const char *annotation;
	int r = bundle_runtime(door->arena, door->invocation, &annotation, error);

	if (r == 0)
		r = settle(door, boot_id, error);
	if (r < 0)
		return r;
	return door->held.found ? check_annotation(door, annotation, error)
	                        : lock_in(door, annotation, boot_id, error);
}

int begin_container(struct front_door *door, struct rtreg_error *error)
{
	const bool restored = door->invocation->command->kind == COMMAND_RESTORE;
	char boot_id[BOOT_ID_LENGTH + 1];
	int r = boot_id_read(boot_id);

	if (r < 0)
		return error_set(error, r, NULL, "cannot tell which boot this is: %s", fs_error_text(r));
	if (restored)
		r = settle(door, boot_id, error);
	/* a container that comes back goes where it was, whatever its bundle says */
	if (r == 0 && !(restored && door->held.found))
		r = choose(door, boot_id, error);
	return r;
}
