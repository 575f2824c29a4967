/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/front_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/problems.h"
#include "runtime/child.h"
#include "runtime/target.h"
#include "runtime/tell.h"

/* What is opened here must not become a standard descriptor that was closed. The runtime gets it closed again. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* --- which runtime --- */

/* Two readings of a command line with an option that nobody knows: a container that is locked in decides. */
static int find_held(struct front_door *door, struct rtreg_error *error)
{
	const struct invocation *invocation = door->invocation;
	int r;

	door->container = invocation->container;
	if (!door->container)
		return 0;
	r = held_absolute_root(invocation->root, door->root);
	if (r < 0)
		return error_set(error, r, "--root", "--root %s: %s", invocation->root, fs_error_text(r));
	r = held_find(&door->held, &door->lockins, &door->state, door->root, door->container, error);
	if (r < 0 || door->held.found || !invocation->other)
		return r;
	r = held_find(&door->held, &door->lockins, &door->state, door->root, invocation->other, error);
	if (door->held.found)
		door->container = invocation->other;
	return r;
}

static int default_runtime(const struct front_door *door, struct rtreg_lock_in *ret,
                           struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error why = {0};
	struct stat st;
	int r = lockins_default_runtime(&door->lockins, ret, &why);

	if (r == -ESRCH)
		return error_set(error, r, door->state.path,
		                 "%s; start it, or set RTREG_STATE_DIR to where it keeps its state",
		                 why.message);
	if (r < 0) {
		error_move(error, &why);
		return r;
	}
	if (fstatat(door->state.fd, DEFAULT_RUNTIME_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_uid != door->state.owner)
		return error_set(error, -EPERM, door->state.path,
		                 "%s/" DEFAULT_RUNTIME_FILE
		                 " is not to be trusted: it does not belong to user %u",
		                 door->state.path, door->state.owner);
	return 0;
}

/* Finds what to execute for a container that has a lock-in, or else by default. */
static int find_path(struct front_door *door, const char **ret, struct rtreg_error *error)
{
	_cleanup_lock_in_ struct rtreg_lock_in standard = {0};
	const struct rtreg_lock_in *runtime = &door->held.lock_in;
	int r;

	if (!door->held.found) {
		r = default_runtime(door, &standard, error);
		if (r < 0)
			return r;
		runtime = &standard;
	}
	r = target_find(door->arena, &door->state, runtime, ret, error);
	if (r < 0)
		door->exit_code = rtreg_exit_code(error);
	return r;
}

/* --- how it is executed --- */

static int in_place(struct front_door *door, const char *path, struct rtreg_error *error)
{
	int r = target_exec(path, door->invocation->argv, error);

	door->exit_code = rtreg_exit_code(error);
	return r;
}

/* Never an error: what the runtime has done is done. */
static void unlock(const struct front_door *door)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_free_ char *message = NULL;

	if (held_unlock(&door->held, &door->lockins, &error) == 0)
		return;
	if (asprintf(&message, "container %s stays locked in: %s", door->container, error.message) < 0)
		return;
	tell_warning(door->invocation, message);
}

static void unlock_if_gone(struct front_door *door, const char *path)
{
	_cleanup_error_ struct rtreg_error error = {0};
	bool known;

	if (known_ask(door, path, &known, &error) < 0)
		tell_warning(door->invocation, error.message);
	else if (!known)
		unlock(door);
}

/* Runs it as a child; returns the exit code in door->exit_code. */
static int outlive(struct front_door *door, const char *path, struct rtreg_error *error)
{
	int status, r = child_run(path, door->invocation->argv, &status, error);

	if (r < 0) {
		door->exit_code = rtreg_exit_code(error);
		return r;
	}
	if (door->invocation->command->kind == COMMAND_RUN)
		unlock_if_gone(door, path);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		unlock(door);
	door->exit_code = child_end(status);
	return 0;
}

static bool begins(const struct front_door *door)
{
	const enum command_kind kind = door->invocation->command->kind;

	return door->container && (kind == COMMAND_CREATE || kind == COMMAND_RUN || kind == COMMAND_RESTORE);
}

static bool is_outlived(const struct front_door *door)
{
	const enum command_kind kind = door->invocation->command->kind;

	return door->held.found &&
	       (kind == COMMAND_DELETE || (kind == COMMAND_RUN && !door->invocation->detach));
}

static int execute(struct front_door *door, struct rtreg_error *error)
{
	const char *path = NULL;
	int r = find_held(door, error);

	if (r < 0)
		return r;
	if (begins(door))
		r = begin_container(door, error);
	if (r == 0)
		r = find_path(door, &path, error);
	if (r < 0)
		return r;
	return is_outlived(door) ? outlive(door, path, error) : in_place(door, path, error);
}

static int open_door(const struct invocation *invocation, struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_state_dir_ struct state_dir state = {.fd = -1};
	struct front_door door = {
	        .invocation = invocation, .arena = arena, .held = HELD_NONE, .exit_code = EXIT_OWN_FAILURE};
	int r = arena ? target_guard(error) : error_no_memory(error);

	if (r == 0)
		r = target_complete_environment(error);
	if (r == 0)
		r = state_dir_open(&state, error);
	if (r == 0) {
		door.state = state;
		lockins_init(&door.lockins, state.fd, state.path);
		r = execute(&door, error);
		if (r < 0 && door.created)
			(void)held_unlock(&door.held, &door.lockins, NULL);
		held_fini(&door.held);
		lockins_fini(&door.lockins);
	}
	if (r < 0)
		tell_failure(invocation, error->message);
	return door.exit_code;
}

int front_door_main(int argc, char *argv[])
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct invocation invocation;

	keep_standard_descriptors();
	invocation_read(&invocation, argc, argv);
	if (invocation.version) {
		about_version();
		return 0;
	}
	if (invocation.help || !invocation.command) {
		about_help();
		return 0;
	}
	return open_door(&invocation, &error);
}
