/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The public getters of a snapshot. Readers: no allocation, no lock, no system call, but for what says
 * malloc'ed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "base/utf8.h"
#include "snapshot/snapshot.h"

#define SHOWN_MAX 255 /* bytes of a name that does not resolve; none that does is longer */

uint64_t rtreg_snapshot_generation(const struct rtreg_snapshot *snapshot)
{
	return snapshot->head.generation;
}

#define STRING_GETTER(name, id)                                                  \
	const char *rtreg_snapshot_##name(const struct rtreg_snapshot *snapshot) \
	{                                                                        \
		return settings_string(&snapshot->settings, id);                 \
	}

#define INT_GETTER(name, id)                                                 \
	int64_t rtreg_snapshot_##name(const struct rtreg_snapshot *snapshot) \
	{                                                                    \
		return settings_get(&snapshot->settings, id)->integer;       \
	}

#define BOOL_GETTER(name, id)                                             \
	bool rtreg_snapshot_##name(const struct rtreg_snapshot *snapshot) \
	{                                                                 \
		return settings_get(&snapshot->settings, id)->boolean;    \
	}

BOOL_GETTER(debug, KEY_ID_DEBUG)
BOOL_GETTER(live_restore, KEY_ID_LIVE_RESTORE)
STRING_GETTER(default_runtime, KEY_ID_DEFAULT_RUNTIME)
STRING_GETTER(exec_root, KEY_ID_EXEC_ROOT)
STRING_GETTER(default_ipc_mode, KEY_ID_DEFAULT_IPC_MODE)
STRING_GETTER(default_cgroupns_mode, KEY_ID_DEFAULT_CGROUPNS_MODE)
INT_GETTER(shutdown_timeout, KEY_ID_SHUTDOWN_TIMEOUT)
INT_GETTER(default_stop_timeout, KEY_ID_DEFAULT_STOP_TIMEOUT)
INT_GETTER(default_shm_size, KEY_ID_DEFAULT_SHM_SIZE)
INT_GETTER(max_concurrent_downloads, KEY_ID_MAX_CONCURRENT_DOWNLOADS)
INT_GETTER(max_concurrent_uploads, KEY_ID_MAX_CONCURRENT_UPLOADS)
INT_GETTER(max_download_attempts, KEY_ID_MAX_DOWNLOAD_ATTEMPTS)
INT_GETTER(network_diagnostic_port, KEY_ID_NETWORK_DIAGNOSTIC_PORT)

int rtreg_snapshot_feature(const struct rtreg_snapshot *snapshot, const char *name)
{
	const struct value *feature = value_member(settings_get(&snapshot->settings, KEY_ID_FEATURES), name);

	return feature ? feature->boolean : -1;
}

static const char *element(const struct value *list, size_t index)
{
	return index < list->count ? list->elements[index].string : NULL;
}

const char *rtreg_snapshot_label(const struct rtreg_snapshot *snapshot, size_t index)
{
	return element(settings_get(&snapshot->settings, KEY_ID_LABELS), index);
}

const char *rtreg_snapshot_mirror(const struct rtreg_snapshot *snapshot, size_t index)
{
	return element(&snapshot->registries.mirrors, index);
}

const char *rtreg_snapshot_insecure_cidr(const struct rtreg_snapshot *snapshot, size_t index)
{
	return element(&snapshot->registries.insecure_cidrs, index);
}

const char *rtreg_snapshot_insecure_host(const struct rtreg_snapshot *snapshot, size_t index)
{
	return element(&snapshot->registries.insecure_hosts, index);
}

struct rtreg_value rtreg_snapshot_value(const struct rtreg_snapshot *snapshot, const char *key)
{
	static const enum rtreg_type types[] = {
	        [VALUE_BOOL] = RTREG_TYPE_BOOL,     [VALUE_INT] = RTREG_TYPE_INT,
	        [VALUE_STRING] = RTREG_TYPE_STRING, [VALUE_ARRAY] = RTREG_TYPE_STRINGS,
	        [VALUE_OBJECT] = RTREG_TYPE_OBJECT,
	};
	int index = keyset_find(snapshot->settings.keys, key);
	struct rtreg_value ret = {0};
	const struct value *value;

	if (index < 0)
		return ret;
	value = &snapshot->settings.items[index].value;
	ret.type = types[value->type];
	if (value->type == VALUE_BOOL)
		ret.boolean = value->boolean;
	else if (value->type == VALUE_INT)
		ret.integer = value->integer;
	else if (value->type == VALUE_STRING)
		ret.string = value->string;
	ret.data = value;
	return ret;
}

const char *rtreg_value_string(const struct rtreg_value *value, size_t index)
{
	const struct value *list = value->data;

	if (!list || list->type != VALUE_ARRAY || index >= list->count)
		return NULL;
	return value_string(&list->elements[index]);
}

char *rtreg_value_json(const struct rtreg_value *value)
{
	static const struct value null = {.type = VALUE_NULL};
	struct text text = {0};

	value_write(&text, value->data ? value->data : &null);
	return text_steal(&text);
}

size_t rtreg_snapshot_runtime_count(const struct rtreg_snapshot *snapshot)
{
	return snapshot->runtime_count;
}

int rtreg_snapshot_runtime(const struct rtreg_snapshot *snapshot, size_t index, struct rtreg_runtime *ret,
                           bool *stock)
{
	if (index >= snapshot->runtime_count)
		return -ENOENT;
	*ret = snapshot->runtimes[index].runtime;
	if (stock)
		*stock = !snapshot->runtimes[index].configured;
	return 0;
}

const char *rtreg_snapshot_runtime_arg(const struct rtreg_snapshot *snapshot, size_t runtime, size_t index)
{
	const struct value *configured = NULL, *arguments;

	if (runtime < snapshot->runtime_count)
		configured = snapshot->runtimes[runtime].configured;
	arguments = configured ? value_member(configured, "runtimeArgs") : NULL;
	return arguments && arguments->type == VALUE_ARRAY ? element(arguments, index) : NULL;
}

/* Within a reader section nothing is allocated, for a message neither. */
int rtreg_resolve_failed(const char *name, size_t length, struct rtreg_error *error)
{
	char line[64 + 6 * SHOWN_MAX] = "unknown or invalid runtime name: ", *to = line + strlen(line);

	length = utf8_prefix(name, length, SHOWN_MAX);
	for (size_t i = 0; i < length && name[i] != '\0'; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '\n' || c == '\t')
			to += snprintf(to, 7, "\\%c", c == '\n' ? 'n' : 't');
		else if (c < 0x20 || c == 0x7f)
			to += snprintf(to, 7, "\\u%04x", c);
		else
			*to++ = (char)c;
	}
	*to = '\0';
	return error_set_line(error, -EINVAL, "runtime", line);
}
