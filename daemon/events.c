/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/json_write.h"
#include "log.h"
#include "timestamp.h"

struct events {
	pthread_mutex_t lock;
	struct event *ring[EVENTS_KEPT];
	uint64_t first, count; /* the oldest kept; ever added: the next goes to ring[count % EVENTS_KEPT] */
	size_t bytes;          /* of the lines that are kept */
	uint64_t lost;         /* by followers */
	bool ended;
	void (*added)(void *context);
	void *context;
};

/* --- one event */

static void write_line(struct text *text, const struct event *event, const char *attributes_json,
                       size_t *ret_attributes)
{
	json_open(text, '{');
	/* As the engine has it for containers, for its older clients. */
	if (strcmp(event->type, "container") == 0) {
		json_member_string(text, "status", event->action);
		json_member_string(text, "id", event->actor_id);
	}
	json_member_string(text, "Type", event->type);
	json_member_string(text, "Action", event->action);
	json_key(text, "Actor");
	json_open(text, '{');
	if (event->actor_id)
		json_member_string(text, "ID", event->actor_id);
	json_key(text, "Attributes");
	*ret_attributes = text->length;
	json_raw(text, attributes_json);
	json_close(text, '}');
	json_member_string(text, "scope", "local");
	json_member_int(text, "time", event->time_ns / NS_PER_S);
	json_member_int(text, "timeNano", event->time_ns);
	json_close(text, '}');
	text_append_char(text, '\n');
}

static const char *skip_string(const char *at)
{
	for (at += 1 + strcspn(at + 1, "\"\\"); *at == '\\'; at += 2 + strcspn(at + 2, "\"\\"))
		;
	return at + 1;
}

/* How many members an object of strings has, as base/json_write writes it. `ret` NULL: only counted. */
static size_t list_members(const char *object, const char **ret)
{
	const char *at = object + 1;
	size_t count = 0;

	for (; *at == '"'; count++) {
		if (ret)
			ret[count] = at;
		at = skip_string(skip_string(at) + 1);
		at += *at == ',';
	}
	return count;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In order, so that filters need not go through all of an event for each thing they look for. */
static bool index_members(struct event *event, const char *attributes)
{
	event->member_count = list_members(attributes, NULL);
	event->members = calloc(event->member_count + 1, sizeof(*event->members));
	if (!event->members)
		return false;
	list_members(attributes, event->members);
	qsort(event->members, event->member_count, sizeof(*event->members), compare_members);
	return true;
}

struct event *event_new(int64_t time_ns, const char *type, const char *action, const char *actor_id,
                        const char *attributes_json)
{
	struct event *event = malloc(sizeof(*event));
	struct text text = {0};
	size_t attributes;

	if (!event)
		return NULL;
	*event = (struct event){.time_ns = time_ns, .type = type, .action = action, .references = 1};
	event->actor_id = actor_id ? strdup(actor_id) : NULL;
	write_line(&text, event, attributes_json, &attributes);
	event->length = text.length;
	event->line = text_steal(&text);
	if (!event->line || (actor_id && !event->actor_id) ||
	    !index_members(event, event->line + attributes)) {
		event_unref(event);
		return NULL;
	}
	return event;
}

static struct event *event_ref(struct event *event)
{
	__atomic_fetch_add(&event->references, 1, __ATOMIC_RELAXED);
	return event;
}

void event_unref(struct event *event)
{
	if (!event || __atomic_sub_fetch(&event->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(event->actor_id);
	free(event->line);
	free(event->members);
	free(event);
}

void event_list_fini(struct event_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		event_unref(list->items[i]);
	free(list->items);
	*list = (struct event_list){0};
}

/* --- the ring */

struct events *events_new(void)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	pthread_mutex_init(&events->lock, NULL);
	return events;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		event_unref(events->ring[i]);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

void events_watch(struct events *events, void (*added)(void *context), void *context)
{
	events->added = added;
	events->context = context;
}

static struct event **slot_of(struct events *events, uint64_t number)
{
	return &events->ring[number % EVENTS_KEPT];
}

static void drop_oldest(struct events *events)
{
	struct event **slot = slot_of(events, events->first++);

	events->bytes -= (*slot)->length;
	event_unref(take(*slot));
}

/* A single event that is larger than all may be together is kept nonetheless. */
static bool has_room(const struct events *events, size_t more)
{
	uint64_t kept = events->count - events->first;

	return kept == 0 ||
	       (kept < EVENTS_KEPT && more <= EVENTS_MAX_BYTES && events->bytes <= EVENTS_MAX_BYTES - more);
}

static void tell(const struct events *events)
{
	if (events->added)
		events->added(events->context);
}

void events_add(struct events *events, const char *type, const char *action, const char *actor_id,
                const char *attributes_json)
{
	struct event *event;

	/* Times are taken under the lock, so that the ring is in their order. */
	pthread_mutex_lock(&events->lock);
	event = event_new(timestamp_now_ns(), type, action, actor_id, attributes_json);
	if (event) {
		while (!has_room(events, event->length))
			drop_oldest(events);
		events->bytes += event->length;
		*slot_of(events, events->count++) = event;
	}
	pthread_mutex_unlock(&events->lock);
	if (event)
		tell(events);
	else
		log_error("an event was lost: out of memory", "action", action);
}

void events_end(struct events *events)
{
	pthread_mutex_lock(&events->lock);
	events->ended = true;
	pthread_mutex_unlock(&events->lock);
	tell(events);
}

bool events_ended(struct events *events)
{
	bool ended;

	pthread_mutex_lock(&events->lock);
	ended = events->ended;
	pthread_mutex_unlock(&events->lock);
	return ended;
}

void events_note_lost(struct events *events, uint64_t count)
{
	pthread_mutex_lock(&events->lock);
	events->lost += count;
	pthread_mutex_unlock(&events->lock);
}

uint64_t events_lost(struct events *events)
{
	uint64_t lost;

	pthread_mutex_lock(&events->lock);
	lost = events->lost;
	pthread_mutex_unlock(&events->lock);
	return lost;
}

uint64_t events_count(struct events *events)
{
	uint64_t count;

	pthread_mutex_lock(&events->lock);
	count = events->count;
	pthread_mutex_unlock(&events->lock);
	return count;
}

struct event *events_get(struct events *events, uint64_t number)
{
	struct event *event = NULL;

	pthread_mutex_lock(&events->lock);
	if (number >= events->first && number < events->count)
		event = event_ref(*slot_of(events, number));
	pthread_mutex_unlock(&events->lock);
	return event;
}

int events_collect(struct events *events, int64_t since_ns, int64_t until_ns, struct event_list *ret,
                   uint64_t *ret_next)
{
	struct event_list list = {.items = calloc(EVENTS_KEPT, sizeof(struct event *))};

	if (!list.items)
		return -ENOMEM;
	pthread_mutex_lock(&events->lock);
	for (uint64_t i = events->first; i < events->count; i++) {
		struct event *event = *slot_of(events, i);

		if (event->time_ns >= since_ns && event->time_ns <= until_ns)
			list.items[list.count++] = event_ref(event);
	}
	*ret_next = events->count;
	pthread_mutex_unlock(&events->lock);
	*ret = list;
	return 0;
}
