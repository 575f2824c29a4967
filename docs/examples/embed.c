/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The smallest engine: opens a registry and says what a container with a runtime gets.
 *
 *     embed DAEMON.JSON STATE-DIR [RUNTIME]
 *     cc embed.c $(pkg-config --cflags --libs rtreg liburcu)
 */
#include <stdio.h>
#include <urcu.h>

#include <rtreg/rtreg.h>

int main(int argc, char **argv)
{
	struct rtreg_options options = {.config_file = argc > 1 ? argv[1] : NULL,
	                                .state_dir = argc > 2 ? argv[2] : NULL};
	struct rtreg_error error = {0};
	struct rtreg_runtime runtime;
	struct rtreg *registry;
	int code;

	if (rtreg_open(&options, &registry, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		rtreg_error_fini(&error);
		return 1;
	}
	rcu_register_thread(); /* each thread that borrows, once */

	rcu_read_lock();
	code = rtreg_resolve(rtreg_borrow(registry), argc > 3 ? argv[3] : "", &runtime, &error);
	if (code == 0)
		printf("%s: shim %s, binary %s\n", runtime.name, runtime.shim,
		       runtime.binary ? runtime.binary : "none");
	rcu_read_unlock(); /* from here on the strings in `runtime` may go */

	if (code < 0)
		fprintf(stderr, "%s\n", error.message);
	rtreg_error_fini(&error);
	rcu_unregister_thread();
	rtreg_close(registry);
	return code < 0;
}
