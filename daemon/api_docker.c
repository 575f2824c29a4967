/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /_ping and /version in the shape of the Docker Engine API, for the docker CLI. */
#include <string.h>
#include <sys/utsname.h>

#include "base/json_write.h"
#include "routes.h"

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

/* What the CLI prints for an engine. It makes one up, with empty lines, where no component is named so. */
static void append_details(struct text *body, const struct utsname *system)
{
	json_member_string(body, "ApiVersion", DOCKER_API_VERSION);
	json_member_string(body, "MinAPIVersion", MIN_API_VERSION);
	json_member_string(body, "GitCommit", "v" RTREG_VERSION);
	json_member_string(body, "GoVersion", "none");
	json_member_string(body, "Os", "linux");
	json_member_string(body, "Arch", go_architecture(system->machine));
	json_member_string(body, "KernelVersion", system->release);
	json_member_string(body, "BuildTime", "unknown");
}

static void append_component(struct text *body, const struct utsname *system)
{
	json_open(body, '{');
	json_member_string(body, "Name", "Engine");
	json_member_string(body, "Version", rtreg_version());
	json_key(body, "Details");
	json_open(body, '{');
	append_details(body, system);
	json_member_string(body, "Experimental", "false");
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
	json_member_raw(body, "Platform", "{\"Name\":\"rtreg, a runtime registry\"}");
	json_key(body, "Components");
	json_open(body, '[');
	append_component(body, &system);
	json_close(body, ']');
	json_member_string(body, "Version", rtreg_version());
	append_details(body, &system);
	json_close(body, '}');
}
