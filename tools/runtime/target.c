/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/problems.h"
#include "runtimes/lookup.h"

#define RUNC_SHIM     "io.containerd.runc.v2"
#define DEPTH         "RTREG_RUNTIME_DEPTH"
#define DEPTH_MAX     4
#define NO_LOG        "/dev/null"
#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The shim of runc executes one of its options; another's runtime has no command line that is known here. */
static int binary_of_shim(struct arena *arena, const struct rtreg_lock_in *runtime, const char **ret,
                          struct rtreg_error *error)
{
	_cleanup_free_ char *name = NULL;
	int r;

	if (strcmp(runtime->shim, RUNC_SHIM) != 0)
		return error_set(error, -EINVAL, runtime->runtime,
		                 "the runtime %s is a shim, %s, and has no runtime binary: an engine must be "
		                 "told to use "
		                 "that shim itself, or the container another runtime, by the annotation "
		                 "io.rtreg.runtime",
		                 runtime->runtime, runtime->shim);
	r = lock_in_option(runtime, "BinaryName", &name);
	if (r < 0)
		return error_no_memory(error);
	*ret = arena_strdup(arena, name && *name ? name : "runc");
	return *ret ? 0 : error_no_memory(error);
}

static int named(struct arena *arena, const struct state_dir *state, const struct rtreg_lock_in *runtime,
                 const char **ret, struct rtreg_error *error)
{
	const char *slash;

	if (!runtime->wrapper && !runtime->binary)
		return binary_of_shim(arena, runtime, ret, error);
	if (!runtime->wrapper) {
		*ret = runtime->binary;
		return 0;
	}
	slash = strrchr(runtime->wrapper, '/');
	*ret = arena_printf(arena, "%s/runtimes/%s", state->path, slash ? slash + 1 : runtime->wrapper);
	return *ret ? 0 : error_no_memory(error);
}

static bool is_ourselves(const char *path)
{
	struct stat ours, theirs;

	return stat("/proc/self/exe", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

int target_find(struct arena *arena, const struct state_dir *state, const struct rtreg_lock_in *runtime,
                const char **ret, struct rtreg_error *error)
{
	_cleanup_free_ char *file = NULL;
	const char *name = NULL;
	int r;

	r = named(arena, state, runtime, &name, error);
	if (r < 0)
		return r;
	r = lookup_binary(name, &file, error);
	if (r < 0)
		return r;
	if (is_ourselves(file))
		return error_set(
		        error, -ELOOP, runtime->runtime,
		        "the runtime %s is rtreg-runtime itself (%s): name another by the annotation "
		        "io.rtreg.runtime, or as the default runtime of rtregd",
		        runtime->runtime, file);
	*ret = arena_strdup(arena, file);
	return *ret ? 0 : error_no_memory(error);
}

int target_complete_environment(struct rtreg_error *error)
{
	const char *path = getenv("PATH");

	if (path && *path)
		return 0;
	return setenv("PATH", STANDARD_PATH, 1) < 0 ? error_no_memory(error) : 0;
}

int target_guard(struct rtreg_error *error)
{
	const char *before = getenv(DEPTH);
	const int depth = before ? atoi(before) : 0;
	char now[16];

	if (depth >= DEPTH_MAX)
		return error_set(
		        error, -ELOOP, DEPTH,
		        "this runtime leads back to rtreg-runtime again and again: let its script or its "
		        "arguments name a real one");
	snprintf(now, sizeof(now), "%d", depth < 0 ? 1 : depth + 1);
	return setenv(DEPTH, now, 1) < 0 ? error_no_memory(error) : 0;
}

int target_failed(const char *path, int code, struct rtreg_error *error)
{
	const bool missing = code == -ENOENT || code == -ENOTDIR;

	return error_set(error, missing ? -ENOENT : -EACCES, path, "cannot execute %s: %s", path,
	                 fs_error_text(code));
}

int target_exec(const char *path, char **argv, struct rtreg_error *error)
{
	argv[0] = (char *)path;
	execv(path, argv);
	return target_failed(path, -errno, error);
}

char **target_state_arguments(struct arena *arena, const struct invocation *invocation, const char *container)
{
	char **argv = arena_alloc_array(arena, (size_t)invocation->argc + 2, sizeof(*argv));
	int count = 0;
	bool joined;

	if (!argv)
		return NULL;
	for (int at = 0; at < invocation->command_at; at++) {
		argv[count] = invocation->argv[at];
		if (at > 0 && invocation_is_log(invocation, at, &joined)) {
			argv[count] = joined ? "--log=" NO_LOG : "--log";
			if (!joined && at + 1 < invocation->command_at) {
				argv[++count] = NO_LOG;
				at++;
			}
		}
		count++;
	}
	argv[count++] = "state";
	argv[count++] = (char *)container;
	return argv;
}
