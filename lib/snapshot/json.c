/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot as JSON, in the shapes of the HTTP API. Secrets are masked. */
#include <string.h>

#include "snapshot/snapshot.h"
#include "values/mask.h"

#define PROXIES "proxies."

static bool is_proxy(const struct key_info *key)
{
	return strncmp(key->name, PROXIES, strlen(PROXIES)) == 0;
}

static void write_proxies(struct text *text, const struct settings *settings)
{
	json_key(text, "proxies");
	json_open(text, '{');
	for (size_t i = 0; i < settings->keys->count; i++) {
		const struct key_info *key = settings->keys->keys[i];

		if (!is_proxy(key) || settings_is_empty(&settings->items[i].value))
			continue;
		json_key(text, key->name + strlen(PROXIES));
		mask_write(text, key, &settings->items[i].value);
	}
	json_close(text, '}');
}

static const char *origin_name(enum origin origin)
{
	static const char *const names[] = {
	        [ORIGIN_DEFAULT] = "default",
	        [ORIGIN_FILE] = "file",
	        [ORIGIN_FLAG] = "flag",
	};

	return names[origin];
}

static void write_origin(struct text *text, enum origin origin, const char *fragment)
{
	_cleanup_text_ struct text shown = {0};

	text_append(&shown, origin_name(origin));
	if (fragment)
		text_printf(&shown, ":%s", fragment);
	text->failed |= shown.failed;
	json_string(text, text_string(&shown));
}

static void write_runtime_origins(struct text *text, const struct setting *runtimes)
{
	for (uint32_t i = 0; i < runtimes->value.count; i++) {
		_cleanup_text_ struct text key = {0};

		text_printf(&key, "runtimes.%s", runtimes->value.members[i].key);
		text->failed |= key.failed;
		json_key(text, text_string(&key));
		write_origin(text, settings_member_origin(runtimes, i),
		             settings_member_fragment(runtimes, i));
	}
}

static void write_origins(struct text *text, const struct settings *settings)
{
	json_key(text, "origin");
	json_open(text, '{');
	for (size_t i = 0; i < settings->keys->count; i++) {
		json_key(text, settings->keys->keys[i]->name);
		write_origin(text, settings->items[i].origin, settings->items[i].fragment);
	}
	write_runtime_origins(text, &settings->items[KEY_ID_RUNTIMES]);
	json_close(text, '}');
}

char *rtreg_snapshot_json(const struct rtreg_snapshot *snapshot)
{
	const struct settings *settings = &snapshot->settings;
	struct text text = {0};

	json_open(&text, '{');
	json_member_uint(&text, "generation", snapshot->head.generation);
	json_key(&text, "config");
	json_open(&text, '{');
	for (size_t i = 0; i < settings->keys->count; i++) {
		if (is_proxy(settings->keys->keys[i]))
			continue;
		json_key(&text, settings->keys->keys[i]->name);
		mask_write(&text, settings->keys->keys[i], &settings->items[i].value);
	}
	write_proxies(&text, settings);
	json_close(&text, '}');
	write_origins(&text, settings);
	json_close(&text, '}');
	return text_steal(&text);
}

/* A member of a runtime's entry, or what stands for "none". */
static void write_member(struct text *text, const struct value *configured, const char *key, const char *none)
{
	const struct value *value = configured ? value_member(configured, key) : NULL;

	json_key(text, key);
	if (value)
		value_write(text, value);
	else
		json_raw(text, none);
}

static void write_runtime(struct text *text, const struct runtime_entry *entry)
{
	json_key(text, entry->runtime.name);
	json_open(text, '{');
	json_member_string(text, "path", entry->runtime.path);
	write_member(text, entry->configured, "runtimeArgs", "[]");
	write_member(text, entry->configured, "runtimeType", "null");
	write_member(text, entry->configured, "options", "null");
	json_member_string(text, "shim", entry->runtime.shim);
	json_member_string(text, "binary", entry->runtime.binary);
	json_member_string(text, "wrapper", entry->runtime.wrapper);
	json_member_bool(text, "stock", !entry->configured);
	json_close(text, '}');
}

char *rtreg_snapshot_runtimes_json(const struct rtreg_snapshot *snapshot)
{
	struct text text = {0};

	json_open(&text, '{');
	json_member_uint(&text, "generation", snapshot->head.generation);
	json_member_string(&text, "default", snapshot->head.default_runtime->name);
	json_key(&text, "runtimes");
	json_open(&text, '{');
	for (size_t i = 0; i < snapshot->runtime_count; i++)
		write_runtime(&text, &snapshot->runtimes[i]);
	json_close(&text, '}');
	json_close(&text, '}');
	return text_steal(&text);
}
