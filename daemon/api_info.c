/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /info in the shape of the Docker Engine API: the live configuration, as `docker info` shows it. Of what an engine has
 * and a registry has not, what makes the CLI print a line of sense, or none.
 */
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "base/cgroup.h"
#include "base/json_write.h"
#include "connections.h"
#include "gate.h"
#include "history.h"
#include "routes.h"
#include "service.h"
#include "timestamp.h"

#define DATA_ROOT "/var/lib/docker" /* the engine's, where the configuration is silent */
#define OFFICIAL  "docker.io"
#define FEATURES  "org.opencontainers.runtime-spec.features"

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

/* --- registries */

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
	append_index(body, OFFICIAL, true, snapshot);
	/* As with the engine, whoever lists the official one as insecure does not make it so. */
	for (size_t i = 0; (host = rtreg_snapshot_insecure_host(snapshot, i)); i++)
		if (strcmp(host, OFFICIAL) != 0)
			append_index(body, host, false, NULL);
	json_close(body, '}');
	json_close(body, '}');
}

/* --- runtimes */

static void append_arguments(struct text *body, const struct rtreg_snapshot *snapshot, size_t runtime)
{
	const char *argument = rtreg_snapshot_runtime_arg(snapshot, runtime, 0);

	if (!argument)
		return;
	json_key(body, "runtimeArgs");
	json_open(body, '[');
	for (size_t i = 0; (argument = rtreg_snapshot_runtime_arg(snapshot, runtime, i)); i++)
		json_string(body, argument);
	json_close(body, ']');
}

static void append_status(struct text *body, const struct rtreg_runtime *runtime)
{
	if (!runtime->features_json)
		return;
	json_key(body, "status");
	json_open(body, '{');
	json_member_string(body, FEATURES, runtime->features_json);
	json_close(body, '}');
}

static void append_runtime(struct text *body, const struct rtreg_snapshot *snapshot, size_t index,
                           const struct rtreg_runtime *runtime)
{
	json_key(body, runtime->name);
	json_open(body, '{');
	if (runtime->path) {
		json_member_string(body, "path", runtime->path);
		append_arguments(body, snapshot, index);
	} else {
		json_member_string(body, "runtimeType", runtime->shim);
		if (runtime->options_json)
			json_member_raw(body, "options", runtime->options_json);
	}
	append_status(body, runtime);
	json_close(body, '}');
}

static void append_runtimes(struct text *body, const struct rtreg_snapshot *snapshot)
{
	struct rtreg_runtime runtime;

	json_member_string(body, "DefaultRuntime", rtreg_snapshot_default_runtime(snapshot));
	json_key(body, "Runtimes");
	json_open(body, '{');
	for (size_t i = 0; rtreg_snapshot_runtime(snapshot, i, &runtime, NULL) == 0; i++)
		append_runtime(body, snapshot, i, &runtime);
	json_close(body, '}');
}

/* --- the machine, and what the configuration says of the engine */

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

/* How many entries of a directory there are, but for . and .. */
static int64_t count_entries(const char *path)
{
	_cleanup_closedir_ DIR *directory = opendir(path);
	int64_t count = -2;

	while (directory && readdir(directory))
		count++;
	return count > 0 ? count : 0;
}

/* What the CLI prints while debug is on; threads stand for what its engine has of the kind. */
static void append_debug(struct text *body, const struct service *service)
{
	json_member_int(body, "NFd", count_entries("/proc/self/fd"));
	json_member_int(body, "NGoroutines", count_entries("/proc/self/task"));
	json_member_uint(body, "NEventsListener", connections_following(service->connections));
}

/* The value of a string key, or `otherwise` where it is empty. */
static const char *string_of(const struct rtreg_snapshot *snapshot, const char *key, const char *otherwise)
{
	struct rtreg_value value = rtreg_snapshot_value(snapshot, key);

	return value.string && *value.string ? value.string : otherwise;
}

/* As it was decided for the path runtimes, of which runc always is one. */
static bool uses_systemd_cgroup(const struct rtreg_snapshot *snapshot)
{
	struct rtreg_runtime runtime;

	for (size_t i = 0; rtreg_snapshot_runtime(snapshot, i, &runtime, NULL) == 0; i++)
		if (strcmp(runtime.name, "runc") == 0)
			return runtime.options_json && strstr(runtime.options_json, "\"SystemdCgroup\":true");
	return false;
}

static void append_engine(struct text *body, const struct rtreg_snapshot *snapshot)
{
	const char *log_driver = string_of(snapshot, "log-driver", "json-file");

	json_member_string(body, "DockerRootDir", string_of(snapshot, "data-root", DATA_ROOT));
	json_member_string(body, "LoggingDriver", log_driver);
	json_member_string(body, "CgroupDriver", uses_systemd_cgroup(snapshot) ? "systemd" : "cgroupfs");
	json_member_string(body, "CgroupVersion", cgroup_is_v2() ? "2" : "1");
	json_member_string(body, "InitBinary", string_of(snapshot, "init-path", "none"));
	json_key(body, "Plugins");
	json_open(body, '{');
	json_member_raw(body, "Volume", "[\"none\"]");
	json_member_raw(body, "Network", "[\"none\"]");
	json_key(body, "Log");
	json_open(body, '[');
	json_string(body, log_driver);
	json_close(body, ']');
	json_close(body, '}');
}

/* --- what a registry has nothing of */

static void append_nothing(struct text *body)
{
	static const char *const counts[] = {"Containers", "ContainersRunning", "ContainersPaused",
	                                     "ContainersStopped", "Images"};
	/* Where these are false, an older CLI warns that the machine cannot do it. */
	static const char *const abilities[] = {
	        "MemoryLimit",  "SwapLimit",       "CpuCfsPeriod",     "CpuCfsQuota",    "CPUShares",
	        "CPUSet",       "PidsLimit",       "OomKillDisable",   "IPv4Forwarding", "BridgeNfIptables",
	        "KernelMemory", "KernelMemoryTCP", "BridgeNfIp6tables"};
	static const char *const commits[] = {"ContainerdCommit", "RuncCommit", "InitCommit"};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		json_member_int(body, counts[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(abilities); i++)
		json_member_bool(body, abilities[i], true);
	for (size_t i = 0; i < ARRAY_SIZE(commits); i++)
		json_member_raw(body, commits[i], "{\"ID\":\"none\",\"Expected\":\"none\"}");
	json_member_raw(body, "Swarm", "{\"LocalNodeState\":\"inactive\"}");
	json_member_raw(body, "SecurityOptions", "[]");
}

static void append_warnings(struct text *body, const struct service *service)
{
	json_key(body, "Warnings");
	json_open(body, '[');
	history_append_failure(service->history, "WARNING: the last reload failed: ", body);
	json_close(body, ']');
}

void api_docker_info(struct request *request)
{
	const struct rtreg_snapshot *snapshot;
	struct reply *reply = &request->reply;
	struct text *body = &reply->body;

	gate_pass(request->service->gate);
	snapshot = rtreg_pin(request->service->registry);
	reply->status = 200;
	reply->generation = rtreg_snapshot_generation(snapshot);
	json_open(body, '{');
	append_machine(body, request->service);
	append_engine(body, snapshot);
	json_member_bool(body, "Debug", rtreg_snapshot_debug(snapshot));
	append_debug(body, request->service);
	json_member_bool(body, "LiveRestoreEnabled", rtreg_snapshot_live_restore(snapshot));
	append_list(body, "Labels", rtreg_snapshot_label, snapshot);
	append_runtimes(body, snapshot);
	append_registries(body, snapshot);
	append_nothing(body);
	append_warnings(body, request->service);
	json_close(body, '}');
	rtreg_unpin(snapshot);
}
