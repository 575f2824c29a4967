/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trial.h"

#include <pthread.h>
#include <stdio.h>

#include "base/json_write.h"
#include "rtreg/rtreg.h"
#include "timestamp.h"

/* What is told of a trial, in one piece. */
struct terms {
	int64_t deadline_ns; /* wall clock; 0: no trial */
	unsigned seconds;
	uint64_t confirmed; /* generation */
};

struct trial {
	struct rtreg *registry;
	pthread_mutex_t lock;
	struct terms terms;
	int64_t due_ms;
};

struct trial *trial_new(struct rtreg *registry)
{
	struct trial *trial = calloc(1, sizeof(*trial));

	if (!trial)
		return NULL;
	pthread_mutex_init(&trial->lock, NULL);
	trial->registry = registry;
	trial->due_ms = TRIAL_NEVER;
	return trial;
}

void trial_free(struct trial *trial)
{
	if (!trial)
		return;
	pthread_mutex_destroy(&trial->lock);
	free(trial);
}

void trial_update(struct trial *trial, unsigned seconds)
{
	uint64_t confirmed = 0;
	bool on = rtreg_on_trial(trial->registry, &confirmed);

	pthread_mutex_lock(&trial->lock);
	if (!on) {
		trial->terms = (struct terms){0};
		trial->due_ms = TRIAL_NEVER;
	} else if (seconds > 0) {
		trial->terms = (struct terms){.deadline_ns = timestamp_now_ns() + seconds * NS_PER_S,
		                              .seconds = seconds,
		                              .confirmed = confirmed};
		trial->due_ms = monotonic_now_ms() + INT64_C(1000) * seconds;
	}
	pthread_mutex_unlock(&trial->lock);
}

void trial_postpone(struct trial *trial)
{
	pthread_mutex_lock(&trial->lock);
	if (trial->due_ms != TRIAL_NEVER)
		trial->due_ms = monotonic_now_ms() + TRIAL_RETRY_MS;
	pthread_mutex_unlock(&trial->lock);
}

int64_t trial_due_ms(struct trial *trial)
{
	int64_t due_ms;

	pthread_mutex_lock(&trial->lock);
	due_ms = trial->due_ms;
	pthread_mutex_unlock(&trial->lock);
	return due_ms;
}

static struct terms get_terms(struct trial *trial)
{
	struct terms terms;

	pthread_mutex_lock(&trial->lock);
	terms = trial->terms;
	pthread_mutex_unlock(&trial->lock);
	return terms;
}

void trial_append(struct trial *trial, struct text *text)
{
	struct terms terms = get_terms(trial);
	char deadline[TIMESTAMP_TEXT_SIZE];

	if (terms.seconds == 0) {
		json_null(text);
		return;
	}
	json_open(text, '{');
	json_member_string(text, "deadline", timestamp_format(terms.deadline_ns, 9, deadline));
	json_member_uint(text, "seconds", terms.seconds);
	json_close(text, '}');
}

void trial_append_status(struct trial *trial, struct text *text)
{
	struct terms terms = get_terms(trial);
	char deadline[TIMESTAMP_TEXT_SIZE];

	if (terms.seconds == 0) {
		json_null(text);
		return;
	}
	json_open(text, '{');
	json_member_string(text, "deadline", timestamp_format(terms.deadline_ns, 9, deadline));
	json_member_uint(text, "generation", terms.confirmed);
	json_close(text, '}');
}

char *trial_warning(struct trial *trial)
{
	struct terms terms = get_terms(trial);
	char deadline[TIMESTAMP_TEXT_SIZE], *warning = NULL;

	if (terms.seconds == 0)
		return NULL;
	if (asprintf(&warning,
	             "the configuration is on trial: without a confirmation it goes back to generation %llu "
	             "at %s",
	             (unsigned long long)terms.confirmed,
	             timestamp_format(terms.deadline_ns, 0, deadline)) < 0)
		return NULL;
	return warning;
}
