/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/held.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/daemon.h"

void held_fini(struct held *held)
{
	rtreg_lock_in_fini(&held->lock_in);
	cleanup_closep(&held->fd);
	*held = HELD_NONE;
}

int held_absolute_root(const char *root, char ret[PATH_MAX])
{
	size_t length = 0;

	if (root && *root && root[0] != '/') {
		if (!getcwd(ret, PATH_MAX - 1))
			return -errno;
		length = strlen(ret);
		ret[length++] = '/';
	}
	if (snprintf(ret + length, PATH_MAX - length, "%s", root ? root : "") >= (int)(PATH_MAX - length))
		return -ENAMETOOLONG;
	return 0;
}

static int check_owner(const struct held *held, const struct state_dir *state, struct rtreg_error *error)
{
	struct stat st;

	if (fstat(held->fd, &st) == 0 && st.st_uid == state->owner)
		return 0;
	return error_set(
	        error, -EPERM, held->name.id,
	        "the lock-in of container %s is not to be trusted: it does not belong to user %u, to whom "
	        "%s belongs",
	        held->name.id, state->owner, state->path);
}

static int find_below(struct held *held, const struct lockins *lockins, const struct state_dir *state,
                      const char *root, const char *id, struct rtreg_error *error)
{
	int r;

	if (lock_in_name_init(&held->name, root, id, NULL) < 0)
		return -ESRCH;
	r = lockins_read(lockins, &held->name, &held->lock_in, &held->fd, error);
	if (r < 0)
		return r;
	r = check_owner(held, state, error);
	if (r < 0)
		return r;
	held->found = true;
	return 0;
}

/* One that belongs to a boot was made here, for a container of the same name that has no root: not this one. */
static int find_for_any_root(struct held *held, const struct lockins *lockins, const struct state_dir *state,
                             const char *id, struct rtreg_error *error)
{
	int r = find_below(held, lockins, state, "", id, error);

	if (r == 0 && held->lock_in.boot_id) {
		held_fini(held);
		return -ESRCH;
	}
	return r;
}

int held_find(struct held *held, const struct lockins *lockins, const struct state_dir *state,
              const char *root, const char *id, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	int r = find_below(held, lockins, state, root, id, &why);

	if (r == -ESRCH && *root)
		r = find_for_any_root(held, lockins, state, id, &why);
	if (r == 0 || r == -ESRCH)
		return 0;
	held_fini(held);
	error_move(error, &why);
	return r;
}

/* The daemon first: it tells those who follow its events. */
int held_unlock(const struct held *held, const struct lockins *lockins, struct rtreg_error *error)
{
	int r;

	(void)daemon_unlock(&held->name, held->lock_in.locked, NULL);
	r = lockins_remove_read(lockins, &held->name, held->fd, !held->lock_in.boot_id, error);
	if (r != -ESRCH && r != -ESTALE)
		return r;
	rtreg_error_fini(error);
	return 0;
}
