/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "history.h"

#include <pthread.h>
#include <string.h>

#include "base/json_write.h"
#include "timestamp.h"

/* The last one stands for what is not in the list. */
const char *const history_sources[HISTORY_SOURCES] = {"start",  "api",   "signal", "watch",
                                                      "revert", "fleet", "other"};
const char *const history_results[HISTORY_RESULTS] = {"ok", "unchanged", "failed"};

struct entry {
	int64_t time_ns;
	uint64_t generation;
	const char *source, *result;
	char *errors_json, *changed_json; /* NULL: none, or no memory to keep them */
};

struct history {
	pthread_mutex_t lock;
	struct entry ring[HISTORY_KEPT];
	uint64_t totals[HISTORY_SOURCES][HISTORY_RESULTS];
	uint64_t count; /* ever added; the next goes to ring[count % HISTORY_KEPT] */
};

struct history *history_new(void)
{
	struct history *history = calloc(1, sizeof(*history));

	if (history)
		pthread_mutex_init(&history->lock, NULL);
	return history;
}

static void entry_fini(struct entry *entry)
{
	free(entry->errors_json);
	free(entry->changed_json);
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < HISTORY_KEPT; i++)
		entry_fini(&history->ring[i]);
	pthread_mutex_destroy(&history->lock);
	free(history);
}

static size_t find_word(const char *const *words, size_t count, const char *word)
{
	size_t i = 0;

	while (i + 1 < count && strcmp(words[i], word) != 0)
		i++;
	return i;
}

void history_add(struct history *history, uint64_t generation, const char *source, const char *result,
                 const char *errors_json, const char *changed_json)
{
	struct entry entry = {
	        .time_ns = timestamp_now_ns(),
	        .generation = generation,
	        .source = source,
	        .result = result,
	        .errors_json = errors_json ? strdup(errors_json) : NULL,
	        .changed_json = changed_json ? strdup(changed_json) : NULL,
	};
	size_t source_index = find_word(history_sources, HISTORY_SOURCES, source);
	size_t result_index = find_word(history_results, HISTORY_RESULTS, result);
	struct entry *slot;

	pthread_mutex_lock(&history->lock);
	slot = &history->ring[history->count++ % HISTORY_KEPT];
	entry_fini(slot);
	*slot = entry;
	history->totals[source_index][result_index]++;
	pthread_mutex_unlock(&history->lock);
}

void history_totals(struct history *history, struct history_totals *ret)
{
	const struct entry *newest;

	*ret = (struct history_totals){0};
	pthread_mutex_lock(&history->lock);
	memcpy(ret->counts, history->totals, sizeof(ret->counts));
	if (history->count > 0) {
		newest = &history->ring[(history->count - 1) % HISTORY_KEPT];
		ret->generation = newest->generation;
		ret->time_ns = newest->time_ns;
		ret->failed = strcmp(newest->result, "failed") == 0;
	}
	pthread_mutex_unlock(&history->lock);
}

static void append_outcome(const struct entry *entry, struct text *text)
{
	char time[TIMESTAMP_TEXT_SIZE];

	json_member_string(text, "time", timestamp_format(entry->time_ns, 9, time));
	json_member_string(text, "result", entry->result);
	json_member_raw(text, "errors", entry->errors_json ? entry->errors_json : "[]");
}

void history_append(struct history *history, struct text *text)
{
	json_open(text, '[');
	pthread_mutex_lock(&history->lock);
	for (uint64_t i = history->count; i > 0 && history->count - i < HISTORY_KEPT; i--) {
		const struct entry *entry = &history->ring[(i - 1) % HISTORY_KEPT];

		json_open(text, '{');
		append_outcome(entry, text);
		json_member_uint(text, "generation", entry->generation);
		json_member_string(text, "source", entry->source);
		json_member_raw(text, "changed", entry->changed_json ? entry->changed_json : "[]");
		json_close(text, '}');
	}
	pthread_mutex_unlock(&history->lock);
	json_close(text, ']');
}

void history_append_newest(struct history *history, struct text *text)
{
	pthread_mutex_lock(&history->lock);
	if (history->count == 0) {
		json_null(text);
	} else {
		json_open(text, '{');
		append_outcome(&history->ring[(history->count - 1) % HISTORY_KEPT], text);
		json_close(text, '}');
	}
	pthread_mutex_unlock(&history->lock);
}

/* What stands between the quotes of the first string of an array. */
static size_t first_string(const char *array, const char **ret)
{
	const char *begin = strchr(array, '"'), *at = begin;

	*ret = begin ? begin + 1 : array;
	if (!begin)
		return 0;
	for (at++; *at != '"'; at++)
		at += *at == '\\';
	return (size_t)(at - begin - 1);
}

void history_append_failure(struct history *history, const char *prefix, struct text *text)
{
	const struct entry *newest;
	const char *message;
	size_t length;

	pthread_mutex_lock(&history->lock);
	newest = &history->ring[(history->count + HISTORY_KEPT - 1) % HISTORY_KEPT];
	if (history->count > 0 && strcmp(newest->result, "failed") == 0) {
		length = first_string(newest->errors_json ? newest->errors_json : "[]", &message);
		json_string(text, prefix);
		text->length -= text->failed ? 0 : 1; /* its quote: what follows is escaped already */
		text_append_n(text, message, length);
		text_append_char(text, '"');
	}
	pthread_mutex_unlock(&history->lock);
}
