/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An engine that holds no registry: it asks rtregd what to run, and has each container locked in to it.
 *
 *     client show [RUNTIME]                    what a container with this runtime would get
 *     client start CONTAINER RUNTIME ARG...    locks the container in ("": the default), runs its runtime with ARG
 *     client run CONTAINER ARG...              runs the runtime that the container is locked in to
 *     client stop CONTAINER ARG...             the same; if that succeeds, the container is no longer locked in
 *     cc client.c $(pkg-config --cflags --libs rtreg)
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rtreg/client.h>

#define FAILED 125 /* what engines exit with where it is not the runtime that failed */

/* Runs the binary of a lock-in; its exit code. */
static int run(const struct rtreg_lock_in *lock_in, char **arguments)
{
	int status;
	pid_t pid;

	if (!lock_in->binary) {
		printf("%s: to be started by the shim %s\n", lock_in->id, lock_in->shim);
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		arguments[0] = (char *)lock_in->binary;
		execvp(lock_in->binary, arguments); /* as stock runtimes have no slash */
		perror(lock_in->binary);
		_exit(FAILED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int show(struct rtreg_client *client, const char *name, struct rtreg_error *error)
{
	struct rtreg_runtime runtime;
	int code = rtreg_client_resolve(client, name, &runtime, error);

	if (code == 0)
		printf("%s: shim %s, binary %s\n", runtime.name, runtime.shim,
		       runtime.binary ? runtime.binary : "none");
	return code;
}

/* Returns below 0 where rtregd said no, else the exit code. */
static int work(struct rtreg_client *client, int count, char **words, struct rtreg_error *error)
{
	struct rtreg_lock_in lock_in = {0};
	int starts = strcmp(words[0], "start") == 0, code;

	if (strcmp(words[0], "show") == 0)
		return show(client, count > 1 ? words[1] : NULL, error);
	if (count < (starts ? 3 : 2))
		return FAILED;
	if (starts)
		code = rtreg_client_lock_in(client, NULL, words[1], words[2], &lock_in, error);
	else
		code = rtreg_client_locked(client, NULL, words[1], &lock_in, error);
	if (code < 0)
		return code;
	code = run(&lock_in, words + (starts ? 2 : 1));
	/* a start that failed leaves nothing behind, but what was there before */
	if ((code == 0 ? strcmp(words[0], "stop") == 0 : starts && lock_in.created) &&
	    rtreg_client_unlock(client, NULL, words[1], error) < 0)
		fprintf(stderr, "client: %s stays locked in: %s\n", words[1], error->message);
	rtreg_lock_in_fini(&lock_in);
	return code;
}

int main(int argc, char **argv)
{
	struct rtreg_error error = {0};
	struct rtreg_client *client;
	int code;

	if (argc < 2) {
		fprintf(stderr, "usage: client show|start|run|stop ...\n");
		return FAILED;
	}
	code = rtreg_client_open(NULL, &client, &error);
	if (code == 0) {
		code = work(client, argc - 1, argv + 1, &error);
		rtreg_client_close(client);
	}
	if (code < 0) {
		fprintf(stderr, "client: %s\n", error.message);
		code = rtreg_exit_code(&error);
	}
	rtreg_error_fini(&error);
	return code;
}
