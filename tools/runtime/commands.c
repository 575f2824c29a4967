/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/commands.h"

#include <string.h>

#include "base/cleanup.h"

#define FLAG(names)                                          \
	{                                                    \
		names, VALUE_NONE, MEANS_NOTHING, NULL, NULL \
	}
#define VALUE(names)                                          \
	{                                                     \
		names, VALUE_TAKEN, MEANS_NOTHING, NULL, NULL \
	}
#define END                                                 \
	{                                                   \
		NULL, VALUE_NONE, MEANS_NOTHING, NULL, NULL \
	}

const struct oci_option global_options[] = {
        {"root", VALUE_TAKEN, MEANS_ROOT, "state directory of the runtime; each has its own container names",
         "DIR"},
        {"log", VALUE_TAKEN, MEANS_LOG, "where failures are told too, besides standard error", "FILE"},
        {"log-format", VALUE_TAKEN, MEANS_LOG_FORMAT, "form of the lines in that file", "text|json"},
        FLAG("debug"),
        VALUE("criu"),
        FLAG("systemd-cgroup"),
        VALUE("rootless"),
        VALUE("cgroup-manager"),
        FLAG("no-pivot"),
        {"version v V", VALUE_NONE, MEANS_VERSION, "print the version and exit", NULL},
        {"help h ?", VALUE_NONE, MEANS_HELP, "print this help and exit", NULL},
        {"usage", VALUE_NONE, MEANS_HELP, NULL, NULL},
        END,
};

const struct oci_option every_command[] = {
        {"help h ?", VALUE_NONE, MEANS_HELP, NULL, NULL},
        {"usage", VALUE_NONE, MEANS_HELP, NULL, NULL},
        END,
};

/* What begins a container: runc's options, then those that crun has besides. */
#define BUNDLE                                                    \
	{"bundle b", VALUE_TAKEN, MEANS_BUNDLE, NULL, NULL},      \
	{                                                         \
		"config f", VALUE_TAKEN, MEANS_CONFIG, NULL, NULL \
	}
#define DETACH                                                   \
	{                                                        \
		"detach d", VALUE_NONE, MEANS_DETACH, NULL, NULL \
	}
#define BEGINNING                                                                                    \
	BUNDLE, VALUE("console-socket"), VALUE("pid-file"), VALUE("pidfd-socket"), FLAG("no-pivot"), \
	        FLAG("no-new-keyring"), VALUE("preserve-fds"), FLAG("no-subreaper")

/* Of CRIU, for both ways. */
#define IMAGES                                                                                          \
	VALUE("image-path"), VALUE("work-path"), FLAG("tcp-established"), FLAG("ext-unix-sk"),          \
	        FLAG("shell-job"), FLAG("file-locks"), VALUE("manage-cgroups-mode"), VALUE("empty-ns"), \
	        FLAG("auto-dedup"), FLAG("lazy-pages"), VALUE("network-lock"), FLAG("link-remap"),      \
	        FLAG("tcp-skip-in-flight")

static const struct oci_option no_options[] = {END};
static const struct oci_option create_options[] = {BEGINNING, END};
static const struct oci_option run_options[] = {BEGINNING, DETACH, FLAG("keep"), END};
static const struct oci_option restore_options[] = {
        BUNDLE,
        DETACH,
        IMAGES,
        VALUE("console-socket"),
        VALUE("pid-file"),
        FLAG("no-subreaper"),
        FLAG("no-pivot"),
        FLAG("ext-unix"),
        VALUE("lsm-profile"),
        VALUE("lsm-mount-context"),
        VALUE("preserve-fds"),
        END,
};
static const struct oci_option checkpoint_options[] = {
        IMAGES,
        VALUE("parent-path"),
        FLAG("leave-running"),
        VALUE("status-fd"),
        VALUE("page-server"),
        FLAG("pre-dump"),
        END,
};
static const struct oci_option delete_options[] = {
        FLAG("force f"),
        {"regex r", VALUE_NONE, MEANS_MANY, NULL, NULL},
        END,
};
static const struct oci_option kill_options[] = {
        FLAG("all a"),
        {"regex r", VALUE_NONE, MEANS_MANY, NULL, NULL},
        END,
};
static const struct oci_option exec_options[] = {
        VALUE("console-socket"),
        VALUE("pidfd-socket"),
        VALUE("cwd"),
        VALUE("env e"),
        {"tty t", VALUE_BEHIND_EQUALS, MEANS_NOTHING, NULL, NULL},
        VALUE("user u"),
        VALUE("additional-gids g"),
        VALUE("process p"),
        FLAG("detach d"),
        VALUE("pid-file"),
        VALUE("process-label"),
        VALUE("apparmor"),
        FLAG("no-new-privs"),
        VALUE("cap c"),
        VALUE("preserve-fds"),
        VALUE("cgroup"),
        FLAG("ignore-paused"),
        FLAG("no-subreaper"),
        END,
};
static const struct oci_option format_options[] = {VALUE("format f"), FLAG("quiet q"), END};
static const struct oci_option events_options[] = {VALUE("interval"), FLAG("stats"), END};
static const struct oci_option spec_options[] = {VALUE("bundle b"), VALUE("file f"), FLAG("rootless"), END};
static const struct oci_option update_options[] = {
        VALUE("resources r"),        VALUE("blkio-weight"),
        VALUE("cpu-period"),         VALUE("cpu-quota"),
        VALUE("cpu-burst"),          VALUE("cpu-share"),
        VALUE("cpu-rt-period"),      VALUE("cpu-rt-runtime"),
        VALUE("cpuset-cpus"),        VALUE("cpuset-mems"),
        VALUE("cpu-idle"),           VALUE("kernel-memory"),
        VALUE("kernel-memory-tcp"),  VALUE("memory"),
        VALUE("memory-reservation"), VALUE("memory-swap"),
        VALUE("pids-limit"),         VALUE("l3-cache-schema"),
        VALUE("mem-bw-schema"),      END,
};

#define THERE "the container's own runtime"
#define ANY   "the default runtime"

const struct oci_command oci_commands[] = {
        {"create", COMMAND_CREATE, 1, false, create_options, "locks the container in, then " THERE},
        {"run", COMMAND_RUN, 1, false, run_options,
         "locks the container in, then " THERE "; if not detached, unlocks it in the end"},
        {"restore", COMMAND_RESTORE, 1, false, restore_options,
         "locks the container in, unless it is already; then " THERE},
        {"delete", COMMAND_DELETE, 1, false, delete_options,
         THERE "; if that succeeds, unlocks the container"},
        {"start", COMMAND_PLAIN, 1, false, no_options, THERE},
        {"state", COMMAND_PLAIN, 1, false, no_options, THERE},
        {"kill", COMMAND_PLAIN, 2, false, kill_options, THERE},
        {"exec", COMMAND_PLAIN, OPERANDS_ANY, true, exec_options, THERE},
        {"ps", COMMAND_PLAIN, OPERANDS_ANY, true, format_options, THERE},
        {"pause", COMMAND_PLAIN, 1, false, no_options, THERE},
        {"resume", COMMAND_PLAIN, 1, false, no_options, THERE},
        {"update", COMMAND_PLAIN, 1, false, update_options, THERE},
        {"events", COMMAND_PLAIN, 1, false, events_options, THERE},
        {"checkpoint", COMMAND_PLAIN, 1, false, checkpoint_options, THERE},
        {"list", COMMAND_PLAIN, 0, false, format_options, ANY},
        {"features", COMMAND_PLAIN, 0, false, no_options, ANY},
        {"spec", COMMAND_PLAIN, 0, false, spec_options, ANY},
};
const size_t oci_command_count = ARRAY_SIZE(oci_commands);

const struct oci_command unknown_command = {NULL, COMMAND_PLAIN, OPERANDS_ANY, true, no_options, NULL};

const struct oci_command *oci_command_find(const char *name)
{
	for (size_t i = 0; i < oci_command_count; i++)
		if (strcmp(oci_commands[i].name, name) == 0)
			return &oci_commands[i];
	return NULL;
}

const struct oci_option *oci_option_find(const struct oci_option *options, const char *name, size_t length)
{
	for (; options->names; options++)
		for (const char *at = options->names; *at; at += strspn(at, " ")) {
			size_t size = strcspn(at, " ");

			if (size == length && memcmp(at, name, length) == 0)
				return options;
			at += size;
		}
	return NULL;
}

const struct oci_option *oci_option_find_begun(const struct oci_option *options, const char *name,
                                               size_t length)
{
	const struct oci_option *found = NULL;

	for (; length > 0 && options->names; options++) {
		if (strncmp(options->names, name, length) != 0)
			continue;
		if (found)
			return NULL;
		found = options;
	}
	return found;
}

size_t oci_option_length(const struct oci_option *option)
{
	return strcspn(option->names, " ");
}

char oci_option_letter(const struct oci_option *option)
{
	const char *second = option->names + oci_option_length(option);

	return *second ? second[1] : '\0';
}
