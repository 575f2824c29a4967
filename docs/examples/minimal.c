/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least that an engine must write: minimal DAEMON.JSON STATE-DIR CONTAINER RUNTIME COMMAND [ARGUMENT...] */
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu-bp.h> /* the flavour whose threads need not be registered */

#include <rtreg/rtreg.h>

int main(int argc, char **argv)
{
	struct rtreg_options options = {.config_file = argv[1], .state_dir = argc > 2 ? argv[2] : NULL};
	struct rtreg_error error = {0};
	struct rtreg_lock_in lock_in = {0};
	struct rtreg_runtime runtime;
	struct rtreg *registry = NULL;
	int status = 0, code = argc < 6 ? -EINVAL : rtreg_open(&options, &registry, &error);
	pid_t child;

	rcu_read_lock();
	if (code == 0 && (code = rtreg_resolve(rtreg_borrow(registry), argv[4], &runtime, &error)) == 0)
		fprintf(stderr, "%s: shim %s\n", runtime.name, runtime.shim);
	rcu_read_unlock(); /* the strings in `runtime` may go from here on; what is locked in stays */
	if (code == 0 && (code = rtreg_lock_in(registry, NULL, argv[3], argv[4], &lock_in, &error)) == 0) {
		argv[4] = (char *)(lock_in.binary ? lock_in.binary : ""); /* none: for engines with shims */
		error.code = code = -posix_spawnp(&child, argv[4], NULL, NULL, &argv[4], environ);
	}
	if (code == 0 && waitpid(child, &status, 0) == child && status == 0 ? strcmp(argv[5], "delete") == 0
	                                                                    : lock_in.created)
		code = rtreg_unlock(registry, NULL, argv[3], &error) < 0 ? error.code : code;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (code < 0 && fprintf(stderr, "minimal: %s\n", error.message[0] ? error.message : strerror(-code)))
		status = registry ? rtreg_exit_code(&error) : 125;
	rtreg_lock_in_fini(&lock_in);
	rtreg_close(registry);
	rtreg_error_fini(&error);
	return status;
}
