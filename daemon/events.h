/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last 1,024 events, but no more than 16 MiB of them: one can hold as many labels as a configuration. Each is a
 * JSON object in the shape of the Docker Engine API. They are numbered from 0, without gaps, in the order of their
 * times. Any thread, but for what says otherwise. docs/events.md has the whole.
 */
#ifndef RTREGD_EVENTS_H
#define RTREGD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define EVENTS_KEPT      1024
#define EVENTS_MAX_BYTES ((size_t)16 << 20)

/* Immutable, and counted. */
struct event {
	int64_t time_ns;
	const char *type, *action; /* literals */
	char *actor_id;
	char *line;           /* with its newline */
	size_t length;        /* of the line */
	const char **members; /* of its attributes: where they begin in the line, in strcmp's order */
	size_t member_count;
	unsigned references; /* atomic */
};

/* One that is in no ring. `actor_id` NULL: none. The new reference is the caller's; NULL without memory. */
struct event *event_new(int64_t time_ns, const char *type, const char *action, const char *actor_id,
                        const char *attributes_json);
/* NULL is allowed. */
void event_unref(struct event *event);

static inline void event_unrefp(struct event **event)
{
	event_unref(*event);
}
#define _cleanup_event_ _cleanup_(event_unrefp)

struct events;

/* NULL without memory. */
struct events *events_new(void);
void events_free(struct events *events);

/*
 * Adds an event. `type` and `action` are literals, `attributes_json` is an object of strings. Without memory the event
 * is lost, and the log says so. Waits for nobody.
 */
void events_add(struct events *events, const char *type, const char *action, const char *actor_id,
                const char *attributes_json);
/* No more will come. What is added nonetheless is kept, for who asks for the past. */
void events_end(struct events *events);
bool events_ended(struct events *events);

/*
 * Has `added` called after each event and the end, on the thread that added it. NULL: nobody. Context: no
 * other call to the ring is in progress.
 */
void events_watch(struct events *events, void (*added)(void *context), void *context);

/* A follower was told that it missed `count`; how many all of them were told. */
void events_note_lost(struct events *events, uint64_t count);
uint64_t events_lost(struct events *events);

/* How many have ever been added, which is the next one's number. */
uint64_t events_count(struct events *events);
/* The event of that number, referenced for the caller; NULL: it has left the ring, or is not there yet. */
struct event *events_get(struct events *events, uint64_t number);

/* Events that somebody holds on to. Zeroed is empty. */
struct event_list {
	struct event **items;
	size_t count;
};
void event_list_fini(struct event_list *list);
/* Those with since <= time <= until, oldest first; *ret_next is the first number after them. -ENOMEM. */
int events_collect(struct events *events, int64_t since_ns, int64_t until_ns, struct event_list *ret,
                   uint64_t *ret_next);

#endif
