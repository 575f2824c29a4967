/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rejected.h"

#include <pthread.h>
#include <string.h>

#include "base/json_write.h"
#include "timestamp.h"

#define REJECTED_DIR "/rejected" /* below the state directory */

struct rejected {
	const char *state_dir;
	pthread_mutex_t lock;
	int64_t time_ns; /* 0: none */
	const char *source;
	char *errors_json; /* NULL: no memory to keep them */
};

struct rejected *rejected_new(const char *state_dir)
{
	struct rejected *rejected = calloc(1, sizeof(*rejected));

	if (!rejected)
		return NULL;
	rejected->state_dir = state_dir;
	pthread_mutex_init(&rejected->lock, NULL);
	return rejected;
}

void rejected_free(struct rejected *rejected)
{
	if (!rejected)
		return;
	free(rejected->errors_json);
	pthread_mutex_destroy(&rejected->lock);
	free(rejected);
}

static void replace(struct rejected *rejected, int64_t time_ns, const char *source, char *errors_json)
{
	char *old;

	pthread_mutex_lock(&rejected->lock);
	old = rejected->errors_json;
	rejected->time_ns = time_ns;
	rejected->source = source;
	rejected->errors_json = errors_json;
	pthread_mutex_unlock(&rejected->lock);
	free(old);
}

void rejected_set(struct rejected *rejected, const char *source, const char *errors_json)
{
	replace(rejected, timestamp_now_ns(), source, strdup(errors_json));
}

void rejected_clear(struct rejected *rejected)
{
	replace(rejected, 0, NULL, NULL);
}

/* null where nothing could be kept: a file that could not be read leaves nothing to look at. */
static void append_directory(const struct rejected *rejected, struct text *text)
{
	_cleanup_text_ struct text path = {0};

	text_append(&path, rejected->state_dir);
	text_append(&path, REJECTED_DIR);
	json_member_string(text, "directory",
	                   access(text_string(&path), F_OK) == 0 ? text_string(&path) : NULL);
}

void rejected_append(struct rejected *rejected, struct text *text)
{
	char time[TIMESTAMP_TEXT_SIZE];

	pthread_mutex_lock(&rejected->lock);
	if (rejected->time_ns == 0) {
		json_null(text);
	} else {
		json_open(text, '{');
		json_member_string(text, "time", timestamp_format(rejected->time_ns, 9, time));
		json_member_string(text, "source", rejected->source);
		json_member_raw(text, "errors", rejected->errors_json ? rejected->errors_json : "[]");
		append_directory(rejected, text);
		json_close(text, '}');
	}
	pthread_mutex_unlock(&rejected->lock);
}
