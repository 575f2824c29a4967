/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dropins.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN 3000 /* bytes of a configuration in a message, of which check takes only so much */

struct sandbox sandbox;
struct rtreg *registry;
struct rtreg_error failure;
struct rtreg_report *report;
char directory[192];

void dropins_setup(void)
{
	sandbox_init(&sandbox);
	snprintf(directory, sizeof(directory), "%s.d", sandbox.config);
	ck_assert_int_eq(mkdir(directory, 0755), 0);
}

void dropins_teardown(void)
{
	rtreg_report_free(report);
	rtreg_close(registry);
	rtreg_error_fini(&failure);
	sandbox_fini(&sandbox);
}

const char *place(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

void put(const char *name, const char *text)
{
	FILE *file = fopen(place(name), "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

void drop(const char *name)
{
	ck_assert_int_eq(unlink(place(name)), 0);
}

void open_registry(void)
{
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &failure) == 0, "%s", failure.message);
}

/* With the source, or the files for NULL; the report is in `report`. */
int reload_from(const struct rtreg_source *source, unsigned flags)
{
	rtreg_report_free(report);
	report = NULL;
	return rtreg_reload(registry, source, flags, &report, &failure);
}

void reload(void)
{
	ck_assert_msg(reload_from(NULL, 0) == 0, "%s", failure.message);
}

void reload_body(const char *text)
{
	struct rtreg_source source = {.bytes = text, .size = strlen(text)};

	ck_assert_msg(reload_from(&source, 0) == 0, "%s", failure.message);
}

/* The live configuration as JSON, until the next call. */
const char *live(void)
{
	static char *json;
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);

	free(json);
	json = rtreg_snapshot_json(snapshot);
	rtreg_unpin(snapshot);
	return json;
}

uint64_t generation(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t ret = rtreg_snapshot_generation(snapshot);

	rtreg_unpin(snapshot);
	return ret;
}

void assert_config(const char *member)
{
	const char *json = live(), *found = strstr(json, member);

	ck_assert_msg(found && found < strstr(json, "\"origin\":{"), "no %s in %.*s", member, SHOWN, json);
}

void assert_origin(const char *key, const char *origin)
{
	const char *origins = strstr(live(), "\"origin\":{");
	char member[256];

	snprintf(member, sizeof(member), "\"%s\":\"%s\"", key, origin);
	ck_assert_msg(strstr(origins, member), "no %s in %.*s", member, SHOWN, origins);
}

/* Of the report's list `list`, which ends at the next one. */
bool listed(const char *list, const char *key)
{
	const char *json = rtreg_report_json(report), *begin, *end;
	char text[128];

	snprintf(text, sizeof(text), "\"%s\":[", list);
	begin = strstr(json, text);
	ck_assert_ptr_nonnull(begin);
	end = strstr(begin, "}],\"");
	if (begin[strlen(text)] == ']')
		return false;
	snprintf(text, sizeof(text), "{\"key\":\"%s\"", key);
	begin = strstr(begin, text);
	return begin && begin < end;
}

/* Whether one of the last error's messages holds all of `texts` (NULL at the end), in their order. */
bool told(const char *first, ...)
{
	const size_t more = failure.more ? failure.more->count : 0;

	for (size_t i = 0; i <= more; i++) {
		const char *at = i == 0 ? failure.message : failure.more->errors[i - 1].message;
		va_list texts;

		va_start(texts, first);
		for (const char *text = first; at && text; text = va_arg(texts, const char *)) {
			at = strstr(at, text);
			at = at ? at + strlen(text) : NULL;
		}
		va_end(texts);
		if (at)
			return true;
	}
	return false;
}

/* The reload fails, and everything is as before. */
void assert_refused(int code)
{
	char *before = strdup(live());

	ck_assert_int_eq(reload_from(NULL, 0), code);
	ck_assert_str_eq(live(), before);
	free(before);
}
