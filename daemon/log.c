/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/visible.h"
#include "timestamp.h"

/* Levels above the library's four: for log-level panic and fatal, which hide even errors. */
#define LEVEL_SILENT (-1)
#define PAIRS_MAX    8

struct settings {
	int level; /* entries up to it are written */
	bool json;
};

static atomic_int live_level = RTREG_LOG_INFO;
static atomic_bool live_json;
/* What log_prepare() found; written and read under the registry's writer lock alone. */
static struct settings prepared;

static const char *const level_names[] = {
        [RTREG_LOG_ERROR] = "error",
        [RTREG_LOG_WARN] = "warn",
        [RTREG_LOG_INFO] = "info",
        [RTREG_LOG_DEBUG] = "debug",
};

bool log_enabled(enum rtreg_log_level level)
{
	return (int)level <= atomic_load_explicit(&live_level, memory_order_relaxed);
}

/* A value stands bare if it is one word; otherwise quoted as JSON quotes, which keeps it on one line. */
static void append_value(struct text *text, const char *value)
{
	struct text quoted = {0};

	if (*value && strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "-._/@:,+%") == strlen(value)) {
		text_append(text, value);
		return;
	}
	json_string(&quoted, value);
	text_append(text, text_string(&quoted));
	text_fini(&quoted);
}

struct entry {
	char time[TIMESTAMP_TEXT_SIZE];
	enum rtreg_log_level level;
	const char *message;
	size_t count;
	const char *keys[PAIRS_MAX], *values[PAIRS_MAX];
};

static void format_text(struct text *text, const struct entry *entry)
{
	text_printf(text, "%s %s ", entry->time, level_names[entry->level]);
	visible_append(text, entry->message);
	for (size_t i = 0; i < entry->count; i++) {
		text_printf(text, " %s=", entry->keys[i]);
		append_value(text, entry->values[i]);
	}
}

static void format_json(struct text *text, const struct entry *entry)
{
	json_open(text, '{');
	json_member_string(text, "time", entry->time);
	json_member_string(text, "level", level_names[entry->level]);
	json_member_string(text, "message", entry->message);
	for (size_t i = 0; i < entry->count; i++)
		json_member_string(text, entry->keys[i], entry->values[i]);
	json_close(text, '}');
}

static void write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDERR_FILENO, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* a log that cannot be written to must not stop the daemon */
		bytes += written;
		length -= (size_t)written;
	}
}

static void write_entry(const struct entry *entry)
{
	_cleanup_text_ struct text text = {0};

	if (atomic_load_explicit(&live_json, memory_order_relaxed))
		format_json(&text, entry);
	else
		format_text(&text, entry);
	text_append_char(&text, '\n');
	if (!text.failed)
		write_all(text.data, text.length);
}

void log_entry(enum rtreg_log_level level, const char *message, ...)
{
	struct entry entry = {.level = level, .message = message};
	int kept_errno = errno;
	const char *key;
	va_list pairs;

	if (!log_enabled(level))
		return;
	timestamp_format(timestamp_now_ns(), 3, entry.time);
	va_start(pairs, message);
	while (entry.count < PAIRS_MAX && (key = va_arg(pairs, const char *))) {
		entry.keys[entry.count] = key;
		entry.values[entry.count] = va_arg(pairs, const char *);
		entry.count += entry.values[entry.count] != NULL;
	}
	va_end(pairs);
	write_entry(&entry);
	errno = kept_errno;
}

void log_from_library(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	log_entry(level, message, NULL);
}

static int level_of(const char *name)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
	        {"panic", LEVEL_SILENT},    {"fatal", LEVEL_SILENT},  {"error", RTREG_LOG_ERROR},
	        {"warn", RTREG_LOG_WARN},   {"info", RTREG_LOG_INFO}, {"debug", RTREG_LOG_DEBUG},
	        {"trace", RTREG_LOG_DEBUG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcasecmp(levels[i].name, name) == 0)
			return levels[i].level;
	return RTREG_LOG_INFO;
}

static const char *string_value(const struct rtreg_snapshot *snapshot, const char *key)
{
	struct rtreg_value value = rtreg_snapshot_value(snapshot, key);

	return value.type == RTREG_TYPE_STRING && value.string ? value.string : "";
}

static int log_commit(void *context, struct rtreg_error *error)
{
	(void)context;
	(void)error;
	atomic_store(&live_level, prepared.level);
	atomic_store(&live_json, prepared.json);
	return 0;
}

int log_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	const struct rtreg_snapshot *snapshot = rtreg_txn_new(txn);

	(void)error;
	prepared.level = rtreg_snapshot_debug(snapshot) ? RTREG_LOG_DEBUG
	                                                : level_of(string_value(snapshot, "log-level"));
	prepared.json = strcmp(string_value(snapshot, "log-format"), "json") == 0;
	rtreg_txn_on_commit(txn, log_commit, context);
	return 0;
}
