/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /_ping, /version and /info in the shape of the Docker Engine API, for the docker CLI. */
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json_write.h"
#include "routes.h"
#include "service.h"
#include "timestamp.h"

#define MIN_API_VERSION "1.24"

void api_docker_ping(struct request *request)
{
	request->reply.status = 200;
	request->reply.content_type = "text/plain; charset=utf-8";
	text_append(&request->reply.body, "OK");
}

/* The engine's clients expect Go's name of the architecture in /version, and uname's in /info. */
static const char *go_architecture(const char *machine)
{
	static const char *const names[][2] = {
	        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i][0], machine) == 0)
			return names[i][1];
	return machine;
}

static void append_component(struct text *body, const struct utsname *system)
{
	json_open(body, '{');
	json_member_string(body, "Name", "rtregd");
	json_member_string(body, "Version", rtreg_version());
	json_key(body, "Details");
	json_open(body, '{');
	json_member_string(body, "ApiVersion", DOCKER_API_VERSION);
	json_member_string(body, "MinAPIVersion", MIN_API_VERSION);
	json_member_string(body, "Os", "linux");
	json_member_string(body, "Arch", go_architecture(system->machine));
	json_member_string(body, "KernelVersion", system->release);
	json_close(body, '}');
	json_close(body, '}');
}

void api_docker_version(struct request *request)
{
	struct text *body = &request->reply.body;
	struct utsname system = {0};

	uname(&system);
	request->reply.status = 200;
	json_open(body, '{');
	json_key(body, "Platform");
	json_open(body, '{');
	json_member_string(body, "Name", "rtreg");
	json_close(body, '}');
	json_key(body, "Components");
	json_open(body, '[');
	append_component(body, &system);
	json_close(body, ']');
	json_member_string(body, "Version", rtreg_version());
	json_member_string(body, "ApiVersion", DOCKER_API_VERSION);
	json_member_string(body, "MinAPIVersion", MIN_API_VERSION);
	json_member_string(body, "GitCommit", "");
	json_member_string(body, "GoVersion", "");
	json_member_string(body, "Os", "linux");
	json_member_string(body, "Arch", go_architecture(system.machine));
	json_member_string(body, "KernelVersion", system.release);
	json_close(body, '}');
}

typedef const char *(*list_fn)(const struct rtreg_snapshot *snapshot, size_t index);

static void append_list(struct text *body, const char *key, list_fn item,
                        const struct rtreg_snapshot *snapshot)
{
	const char *string;

	json_key(body, key);
	json_open(body, '[');
	for (size_t i = 0; (string = item(snapshot, i)); i++)
		json_string(body, string);
	json_close(body, ']');
}

/* `mirrors` NULL: none. */
static void append_index(struct text *body, const char *name, bool official,
                         const struct rtreg_snapshot *mirrors)
{
	json_key(body, name);
	json_open(body, '{');
	json_member_string(body, "Name", name);
	if (mirrors)
		append_list(body, "Mirrors", rtreg_snapshot_mirror, mirrors);
	else
		json_member_raw(body, "Mirrors", "[]");
	json_member_bool(body, "Secure", official);
	json_member_bool(body, "Official", official);
	json_close(body, '}');
}

static void append_registries(struct text *body, const struct rtreg_snapshot *snapshot)
{
	const char *host;

	json_key(body, "RegistryConfig");
	json_open(body, '{');
	append_list(body, "InsecureRegistryCIDRs", rtreg_snapshot_insecure_cidr, snapshot);
	append_list(body, "Mirrors", rtreg_snapshot_mirror, snapshot);
	json_key(body, "IndexConfigs");
	json_open(body, '{');
	append_index(body, "docker.io", true, snapshot);
	for (size_t i = 0; (host = rtreg_snapshot_insecure_host(snapshot, i)); i++)
		append_index(body, host, false, NULL);
	json_close(body, '}');
	json_close(body, '}');
}

static void append_runtimes(struct text *body, const struct rtreg_snapshot *snapshot)
{
	struct rtreg_runtime runtime;

	json_member_string(body, "DefaultRuntime", rtreg_snapshot_default_runtime(snapshot));
	json_key(body, "Runtimes");
	json_open(body, '{');
	for (size_t i = 0; rtreg_snapshot_runtime(snapshot, i, &runtime, NULL) == 0; i++) {
		json_key(body, runtime.name);
		json_open(body, '{');
		if (runtime.path)
			json_member_string(body, "path", runtime.path);
		else
			json_member_string(body, "runtimeType", runtime.shim);
		json_close(body, '}');
	}
	json_close(body, '}');
}

static void append_machine(struct text *body, const struct service *service)
{
	char now[TIMESTAMP_TEXT_SIZE];
	struct utsname system = {0};
	struct sysinfo memory = {0};

	uname(&system);
	sysinfo(&memory);
	json_member_string(body, "ID", service->host);
	json_member_string(body, "Name", service->host);
	json_member_string(body, "ServerVersion", rtreg_version());
	json_member_string(body, "OperatingSystem", system.sysname);
	json_member_string(body, "OSType", "linux");
	json_member_string(body, "Architecture", system.machine);
	json_member_string(body, "KernelVersion", system.release);
	json_member_int(body, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
	json_member_uint(body, "MemTotal", (uint64_t)memory.totalram * memory.mem_unit);
	json_member_string(body, "SystemTime", timestamp_format(timestamp_now_ns(), 9, now));
}

void api_docker_info(struct request *request)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(request->service->registry);
	struct reply *reply = &request->reply;
	struct text *body = &reply->body;

	reply->status = 200;
	reply->generation = rtreg_snapshot_generation(snapshot);
	json_open(body, '{');
	append_machine(body, request->service);
	json_member_bool(body, "Debug", rtreg_snapshot_debug(snapshot));
	json_member_bool(body, "LiveRestoreEnabled", rtreg_snapshot_live_restore(snapshot));
	append_list(body, "Labels", rtreg_snapshot_label, snapshot);
	append_runtimes(body, snapshot);
	append_registries(body, snapshot);
	json_member_raw(body, "Swarm", "{\"LocalNodeState\":\"inactive\"}");
	json_member_raw(body, "SecurityOptions", "[]");
	json_member_raw(body, "Warnings", "[]");
	json_close(body, '}');
	rtreg_unpin(snapshot);
}
