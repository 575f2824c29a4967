/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/rtregd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Seen from this program: where it was built, and where it is installed. */
static const char *const places[] = {".", "../daemon", "../sbin"};

static bool is_there(char ret[static PATH_MAX], const char *folder, size_t length, const char *place,
                     const char *name)
{
	return snprintf(ret, PATH_MAX, "%.*s/%s%s%s", (int)length, folder, place, *place ? "/" : "", name) <
	               PATH_MAX &&
	       access(ret, X_OK) == 0;
}

static bool find_beside_this(const char *name, char ret[static PATH_MAX])
{
	char own[PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	const char *end = length > 0 ? memrchr(own, '/', (size_t)length) : NULL;

	for (size_t i = 0; end && i < ARRAY_SIZE(places); i++)
		if (is_there(ret, own, (size_t)(end - own), places[i], name))
			return true;
	return false;
}

static bool find_in_list(const char *list, const char *name, char ret[static PATH_MAX])
{
	while (list && *list) {
		const size_t length = strcspn(list, ":");

		if (length > 0 && is_there(ret, list, length, "", name))
			return true;
		list += length + (list[length] == ':');
	}
	return false;
}

int program_find(const char *name, char ret[static PATH_MAX], struct rtreg_error *error)
{
	const char *given = getenv("RTREG_BENCH_PATH");

	if (given && *given)
		return find_in_list(given, name, ret)
		               ? 0
		               : bench_fail(error, -ENOENT,
		                            "there is no %s in the folders of RTREG_BENCH_PATH", name);
	if (find_beside_this(name, ret) || find_in_list(getenv("PATH"), name, ret))
		return 0;
	return bench_fail(error, -ENOENT,
	                  "there is no %s, neither where rtreg-bench is nor in the PATH; "
	                  "RTREG_BENCH_PATH can name its folder",
	                  name);
}

int rtregd_start(struct server *server, const char *program, const struct world *world, const char *threads)
{
	char state[sizeof(server->socket) + sizeof(".state")];
	const char *const arguments[] = {
	        program,       "--config-file",  world->config, "--state-dir",  state,
	        "--exec-root", world->exec_root, "--socket",    server->socket, "--threads",
	        threads,       "--no-watch",     NULL,
	};

	snprintf(state, sizeof(state), "%s.state", server->socket);
	return server_exec(server, arguments);
}

int rtregd_ask(const struct server *server, const char *method, const char *target, const char *body,
               struct text *ret)
{
	_cleanup_text_ struct text request = {0};

	text_printf(&request, "%s %s HTTP/1.1\r\nHost: rtreg\r\nConnection: close\r\n", method, target);
	text_printf(&request, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
	return request.failed ? -ENOMEM : server_exchange(server, request.data, request.length, true, ret);
}
