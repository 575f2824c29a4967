/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "routes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MARK "{name}"

static const struct route routes[] = {
        {"GET", "/v1/runtimes", api_list_runtimes, 0, 0},
        {"GET", "/v1/runtimes/" MARK, api_show_runtime, 0, 0},
        {"PUT", "/v1/runtimes/" MARK, api_put_runtime, ROUTE_CHANGES | ROUTE_WAITS, 0},
        {"DELETE", "/v1/runtimes/" MARK, api_remove_runtime, ROUTE_CHANGES | ROUTE_WAITS, 0},
        {"PUT", "/v1/default-runtime", api_set_default_runtime, ROUTE_CHANGES | ROUTE_WAITS, 0},
        {"GET", "/v1/resolve", api_resolve, 0, 0},
        {"GET", "/v1/snapshot", api_share_snapshot, ROUTE_BLOCKS | ROUTE_UPGRADES, 0},
        {"GET", "/v1/config", api_show_config, 0, 0},
        {"POST", "/v1/reload", api_reload, ROUTE_CHANGES | ROUTE_WAITS, RELOAD_BODY_MAX},
        {"POST", "/v1/confirm", api_confirm, ROUTE_CHANGES | ROUTE_WAITS, 0},
        {"GET", "/v1/containers", api_list_lock_ins, ROUTE_BLOCKS | ROUTE_EXIT_CODE, 0},
        {"GET", "/v1/containers/" MARK, api_show_lock_in, ROUTE_EXIT_CODE, 0},
        {"PUT", "/v1/containers/" MARK, api_lock_in, ROUTE_CHANGES | ROUTE_BLOCKS | ROUTE_EXIT_CODE, 0},
        {"DELETE", "/v1/containers/" MARK, api_unlock, ROUTE_CHANGES | ROUTE_BLOCKS | ROUTE_EXIT_CODE, 0},
        {"GET", "/v1/status", api_show_status, 0, 0},
        {"GET", "/v1/history", api_show_history, 0, 0},
        {"GET", "/v1/events", api_list_events, 0, 0},
        {"GET", "/metrics", api_show_metrics, 0, 0},
        {"GET", "/_ping", api_docker_ping, ROUTE_DOCKER, 0},
        {"GET", "/version", api_docker_version, ROUTE_DOCKER, 0},
        {"GET", "/info", api_docker_info, ROUTE_DOCKER, 0},
        {"GET", "/events", api_list_events, ROUTE_DOCKER, 0},
};

size_t route_count(void)
{
	return ARRAY_SIZE(routes) + 1;
}

const char *route_pattern(size_t number)
{
	return number > 0 ? routes[number - 1].path : "other";
}

/* What follows "/vX.Y" in a path, or NULL if it does not begin so. */
static const char *skip_version(const char *path)
{
	const char *at = path + 2;

	if (strncmp(path, "/v", 2) != 0 || !isdigit((unsigned char)*at))
		return NULL;
	while (isdigit((unsigned char)*at))
		at++;
	if (*at != '.' || !isdigit((unsigned char)at[1]))
		return NULL;
	for (at++; isdigit((unsigned char)*at);)
		at++;
	return *at == '/' ? at : NULL;
}

/* Whether `path` is of that pattern; *ret_segment is what MARK stands for, or NULL. */
static bool path_matches(const char *pattern, const char *path, const char **ret_segment, size_t *ret_length)
{
	const char *mark = strstr(pattern, MARK);
	size_t before = mark ? (size_t)(mark - pattern) : 0, length;

	*ret_segment = NULL;
	if (!mark)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	length = strcspn(path + before, "/");
	*ret_segment = path + before;
	*ret_length = length;
	return length > 0 && strcmp(path + before + length, mark + strlen(MARK)) == 0;
}

static bool method_matches(const char *wanted, const char *method)
{
	return strcmp(wanted, method) == 0 || (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void add_allowed(char *allow, size_t size, const char *method)
{
	size_t length = strlen(allow);

	snprintf(allow + length, size - length, "%s%s", length > 0 ? ", " : "",
	         strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
}

static void take_route(struct request *request, const struct route *route, const char *segment, size_t length)
{
	int rc = segment ? uri_decode(segment, length, 0, &request->segment) : 0;

	request->route = route;
	request->reply.docker = (route->traits & ROUTE_DOCKER) != 0;
	request->reply.exit_code = route->traits & ROUTE_EXIT_CODE ? EXIT_CODE_OTHER : 0;
	if (rc == -EINVAL)
		reply_message(&request->reply, 400, "the path has a bad escape");
	else if (rc < 0)
		reply_message(&request->reply, 500, "out of memory");
}

void route_request(struct request *request, const char *method)
{
	const char *path = request->uri.path, *unversioned = skip_version(path);
	struct reply *reply = &request->reply;

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		const char *tried = unversioned && (routes[i].traits & ROUTE_DOCKER) ? unversioned : path;
		const char *segment = NULL;
		size_t length = 0;

		if (!path_matches(routes[i].path, tried, &segment, &length))
			continue;
		if (request->route_number == 0)
			request->route_number = i + 1;
		if (method_matches(routes[i].method, method)) {
			take_route(request, &routes[i], segment, length);
			return;
		}
		add_allowed(reply->allow, sizeof(reply->allow), routes[i].method);
	}
	if (reply->allow[0])
		reply_message(reply, 405, "%s is not allowed for %s", method, path);
	else if (unversioned)
		/* What engines have more of: their clients show this to people. */
		reply_message(reply, 404,
		              "this is rtreg, a runtime registry and not an engine: no such path: %s", path);
	else
		reply_message(reply, 404, "no such path: %s", path);
}
