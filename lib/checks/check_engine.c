/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the engine's own settings: logging, containerd, numbers, namespaces (C30, C31, C35, C39). */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "checks/list.h"

static bool is_one_of(const char *string, const char *const *words, size_t count,
                      int (*compare)(const char *, const char *))
{
	for (size_t i = 0; i < count; i++)
		if (compare(string, words[i]) == 0)
			return true;
	return false;
}

void check_log(const struct settings *settings, struct problems *problems)
{
	static const char *const levels[] = {"", "panic", "fatal", "error", "warn", "info", "debug", "trace"};
	static const char *const formats[] = {"", "text", "json"};
	const char *level = settings_string(settings, KEY_ID_LOG_LEVEL);
	const char *format = settings_string(settings, KEY_ID_LOG_FORMAT);

	if (!is_one_of(level, levels, ARRAY_SIZE(levels), strcasecmp))
		problems_error(problems, -EINVAL, "log-level", "invalid logging level: %s", level);
	if (!is_one_of(format, formats, ARRAY_SIZE(formats), strcmp))
		problems_error(problems, -EINVAL, "log-format", "invalid log format: %s", format);
}

static bool is_true(const struct value *value)
{
	return value && value->type == VALUE_BOOL && value->boolean;
}

void check_containerd(const struct settings *settings, struct problems *problems)
{
	const struct value *features = settings_get(settings, KEY_ID_FEATURES);

	if (is_true(value_member(features, "embedded-containerd")) &&
	    is_true(settings_get(settings, KEY_ID_CRI_CONTAINERD)))
		problems_error(
		        problems, -EINVAL, "cri-containerd",
		        "conflicting options: cannot use embedded-containerd feature with cri-containerd");
}

static int64_t number_of(const struct settings *settings, enum key_id id)
{
	const struct value *value = settings_get(settings, id);

	return value->type == VALUE_INT ? value->integer : 0;
}

void check_numbers(const struct settings *settings, struct problems *problems)
{
	static const struct {
		enum key_id id;
		const char *key, *what;
	} naturals[] = {
	        {KEY_ID_MTU, "mtu", "default MTU"},
	        {KEY_ID_MAX_CONCURRENT_DOWNLOADS, "max-concurrent-downloads", "max concurrent downloads"},
	        {KEY_ID_MAX_CONCURRENT_UPLOADS, "max-concurrent-uploads", "max concurrent uploads"},
	        {KEY_ID_MAX_DOWNLOAD_ATTEMPTS, "max-download-attempts", "max download attempts"},
	        {KEY_ID_DEFAULT_STOP_TIMEOUT, "default-stop-timeout", "default stop timeout"},
	};
	int64_t port = number_of(settings, KEY_ID_NETWORK_DIAGNOSTIC_PORT);

	for (size_t i = 0; i < ARRAY_SIZE(naturals); i++) {
		int64_t number = number_of(settings, naturals[i].id);

		if (number < 0)
			problems_error(problems, -EINVAL, naturals[i].key, "invalid %s: %" PRId64,
			               naturals[i].what, number);
	}
	if (port < 0 || port > 65535)
		problems_error(problems, -EINVAL, "network-diagnostic-port",
		               "invalid network-diagnostic-port (%" PRId64
		               "): value must be between 0 and 65535",
		               port);
}

void check_ipc_mode(const struct settings *settings, struct problems *problems)
{
	static const char *const good[] = {"", "shareable", "private"};
	const char *mode = settings_string(settings, KEY_ID_DEFAULT_IPC_MODE);

	if (is_one_of(mode, good, ARRAY_SIZE(good), strcmp))
		return;
	if (strcmp(mode, "host") == 0 || strcmp(mode, "none") == 0 || strncmp(mode, "container:", 10) == 0)
		problems_error(problems, -EINVAL, "default-ipc-mode",
		               "IPC mode \"%s\" is not supported as default value; use \"shareable\" or "
		               "\"private\"",
		               mode);
	else
		problems_error(problems, -EINVAL, "default-ipc-mode",
		               "default IPC mode setting (%s) is invalid; use \"shareable\" or \"private\"",
		               mode);
}

void check_cgroupns_mode(const struct settings *settings, struct problems *problems)
{
	static const char *const good[] = {"", "host", "private"};
	const char *mode = settings_string(settings, KEY_ID_DEFAULT_CGROUPNS_MODE);

	if (!is_one_of(mode, good, ARRAY_SIZE(good), strcmp))
		problems_error(problems, -EINVAL, "default-cgroupns-mode",
		               "invalid default cgroup namespace (%s): use \"host\" or \"private\"", mode);
}
