/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events.h"

#include <pthread.h>
#include <string.h>

#include "base/json_write.h"
#include "log.h"
#include "metrics.h"
#include "timestamp.h"

#define EVENTS_MAX_BYTES ((size_t)16 << 20)

struct event {
	int64_t time_ns;
	char *line;
};

struct events {
	struct metrics *metrics;
	pthread_mutex_t lock;
	struct event ring[EVENTS_KEPT];
	uint64_t first, count; /* the oldest kept; ever added: the next goes to ring[count % EVENTS_KEPT] */
	size_t bytes;          /* of the lines that are kept */
};

struct events *events_new(struct metrics *metrics)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->metrics = metrics;
	pthread_mutex_init(&events->lock, NULL);
	return events;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(events->ring[i].line);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

static char *event_line(int64_t time_ns, const char *action, const char *actor_id,
                        const char *attributes_json)
{
	struct text text = {0};

	json_open(&text, '{');
	json_member_string(&text, "Type", "daemon");
	json_member_string(&text, "Action", action);
	json_key(&text, "Actor");
	json_open(&text, '{');
	json_member_string(&text, "ID", actor_id);
	json_member_raw(&text, "Attributes", attributes_json);
	json_close(&text, '}');
	json_member_string(&text, "scope", "local");
	json_member_int(&text, "time", time_ns / NS_PER_S);
	json_member_int(&text, "timeNano", time_ns);
	json_close(&text, '}');
	text_append_char(&text, '\n');
	return text_steal(&text);
}

static struct event *event_at(struct events *events, uint64_t number)
{
	return &events->ring[number % EVENTS_KEPT];
}

static void drop_oldest(struct events *events)
{
	struct event *event = event_at(events, events->first++);

	events->bytes -= strlen(event->line);
	free(event->line);
	event->line = NULL;
}

/* A single event that is larger than all may be together is kept nonetheless. */
static bool has_room(const struct events *events, size_t more)
{
	uint64_t kept = events->count - events->first;

	return kept == 0 ||
	       (kept < EVENTS_KEPT && more <= EVENTS_MAX_BYTES && events->bytes <= EVENTS_MAX_BYTES - more);
}

void events_add(struct events *events, const char *action, const char *actor_id, const char *attributes_json)
{
	struct event event;

	metrics_count(events->metrics, METRICS_EVENTS, 1);
	/* Times are taken under the lock, so that the ring is in their order. */
	pthread_mutex_lock(&events->lock);
	event.time_ns = timestamp_now_ns();
	event.line = event_line(event.time_ns, action, actor_id, attributes_json);
	if (event.line) {
		while (!has_room(events, strlen(event.line)))
			drop_oldest(events);
		events->bytes += strlen(event.line);
		*event_at(events, events->count++) = event;
	}
	pthread_mutex_unlock(&events->lock);
	if (!event.line)
		log_error("an event was lost: out of memory", "action", action);
}

void events_append(struct events *events, int64_t since_ns, int64_t until_ns, struct text *text)
{
	pthread_mutex_lock(&events->lock);
	for (uint64_t i = events->first; i < events->count; i++) {
		const struct event *event = event_at(events, i);

		if (event->time_ns >= since_ns && event->time_ns <= until_ns)
			text_append(text, event->line);
	}
	pthread_mutex_unlock(&events->lock);
}
