/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draft/attributes.h"

#include <inttypes.h>
#include <string.h>

#include "values/mask.h"

enum form {
	FORM_TEXT,     /* strings, numbers and booleans as they are */
	FORM_JSON,     /* arrays */
	FORM_MAP,      /* map[a:false b:true] */
	FORM_RUNTIMES, /* name:path pairs */
	FORM_HOST_NAME,
};

static const struct attribute {
	const char *name;
	enum key_id id;
	enum form form;
} attributes[] = {
        {"runtimes", KEY_ID_RUNTIMES, FORM_RUNTIMES},
        {"default-runtime", KEY_ID_DEFAULT_RUNTIME, FORM_TEXT},
        {"default-shm-size", KEY_ID_DEFAULT_SHM_SIZE, FORM_TEXT},
        {"default-ipc-mode", KEY_ID_DEFAULT_IPC_MODE, FORM_TEXT},
        {"default-cgroupns-mode", KEY_ID_DEFAULT_CGROUPNS_MODE, FORM_TEXT},
        {"debug", KEY_ID_DEBUG, FORM_TEXT},
        {"live-restore", KEY_ID_LIVE_RESTORE, FORM_TEXT},
        {"max-concurrent-downloads", KEY_ID_MAX_CONCURRENT_DOWNLOADS, FORM_TEXT},
        {"max-concurrent-uploads", KEY_ID_MAX_CONCURRENT_UPLOADS, FORM_TEXT},
        {"max-download-attempts", KEY_ID_MAX_DOWNLOAD_ATTEMPTS, FORM_TEXT},
        {"shutdown-timeout", KEY_ID_SHUTDOWN_TIMEOUT, FORM_TEXT},
        {"default-stop-timeout", KEY_ID_DEFAULT_STOP_TIMEOUT, FORM_TEXT},
        {"labels", KEY_ID_LABELS, FORM_JSON},
        {"insecure-registries", KEY_ID_INSECURE_REGISTRIES, FORM_JSON},
        {"registry-mirrors", KEY_ID_REGISTRY_MIRRORS, FORM_JSON},
        {"allow-nondistributable-artifacts", KEY_ID_ALLOW_NONDISTRIBUTABLE_ARTIFACTS, FORM_JSON},
        {"features", KEY_ID_FEATURES, FORM_MAP},
        {"name", KEY_ID_NAMED, FORM_HOST_NAME},
};

static void print_runtimes(struct text *text, const struct value *runtimes)
{
	for (uint32_t i = 0; i < runtimes->count; i++) {
		const char *path = value_string(value_member(&runtimes->members[i].value, "path"));

		text_append(text, i ? " " : "");
		text_append(text, runtimes->members[i].key);
		text_append_char(text, ':');
		text_append(text, path ? path : "");
	}
}

static void print_host_name(struct text *text)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	text_append(text, name);
}

static void print_attribute(struct text *text, const struct attribute *attribute,
                            const struct settings *settings)
{
	switch (attribute->form) {
	case FORM_JSON:
		mask_write(text, settings->keys->keys[attribute->id], settings_get(settings, attribute->id));
		break;
	case FORM_TEXT:
	case FORM_MAP:
		mask_print(text, settings->keys->keys[attribute->id], settings_get(settings, attribute->id));
		break;
	case FORM_RUNTIMES:
		print_runtimes(text, settings_get(settings, attribute->id));
		break;
	case FORM_HOST_NAME:
		print_host_name(text);
		break;
	}
}

char *attributes_json(const struct settings *settings)
{
	struct text json = {0};

	json_open(&json, '{');
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		_cleanup_text_ struct text text = {0};

		print_attribute(&text, &attributes[i], settings);
		json.failed |= text.failed;
		json_key(&json, attributes[i].name);
		json_string_n(&json, text_string(&text), text.length);
	}
	json_close(&json, '}');
	return text_steal(&json);
}
