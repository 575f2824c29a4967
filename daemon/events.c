/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events.h"

#include <pthread.h>

#include "base/json_write.h"
#include "log.h"
#include "timestamp.h"

struct event {
	int64_t time_ns;
	char *line;
};

struct events {
	pthread_mutex_t lock;
	struct event ring[EVENTS_KEPT];
	uint64_t count; /* ever added; the next goes to ring[count % EVENTS_KEPT] */
};

struct events *events_new(void)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events)
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

void events_add(struct events *events, const char *action, const char *actor_id, const char *attributes_json)
{
	struct event *slot;

	/* Times are taken under the lock, so that the ring is in their order. */
	pthread_mutex_lock(&events->lock);
	slot = &events->ring[events->count % EVENTS_KEPT];
	free(slot->line);
	slot->time_ns = timestamp_now_ns();
	slot->line = event_line(slot->time_ns, action, actor_id, attributes_json);
	events->count++;
	if (!slot->line)
		log_error("an event was lost: out of memory", "action", action);
	pthread_mutex_unlock(&events->lock);
}

void events_append(struct events *events, int64_t since_ns, int64_t until_ns, struct text *text)
{
	uint64_t first;

	pthread_mutex_lock(&events->lock);
	first = events->count > EVENTS_KEPT ? events->count - EVENTS_KEPT : 0;
	for (uint64_t i = first; i < events->count; i++) {
		const struct event *event = &events->ring[i % EVENTS_KEPT];

		if (event->line && event->time_ns >= since_ns && event->time_ns <= until_ns)
			text_append(text, event->line);
	}
	pthread_mutex_unlock(&events->lock);
}
