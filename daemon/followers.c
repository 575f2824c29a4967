/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "followers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "timestamp.h"

struct follower {
	struct events *events;
	struct event_query query;
	struct event_list
	        replay; /* what `since` asks for, with the filter applied; given away from `replayed` on */
	size_t replayed;
	/*
	 * Of what came later: [place, seen) has been looked at, and `waiting` of those are to be told. Nothing
	 * before `place` is.
	 */
	uint64_t place, seen, waiting;
	struct event *current; /* is being told, from `offset` on */
	size_t offset;
	bool closed; /* nothing from `seen` on will be told */
	bool lost, told_lost;
};

static bool is_wanted(const struct follower *follower, const struct event *event)
{
	return event->time_ns >= follower->query.since_ns && event->time_ns <= follower->query.until_ns &&
	       event_filter_passes(follower->query.filter, event);
}

static void filter_replay(struct follower *follower)
{
	struct event_list *list = &follower->replay;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (is_wanted(follower, list->items[i]))
			list->items[kept++] = list->items[i];
		else
			event_unref(list->items[i]);
	list->count = kept;
}

int follower_new(struct events *events, const struct event_query *query, struct follower **ret)
{
	struct follower *follower = calloc(1, sizeof(*follower));
	int rc = -ENOMEM;

	if (!follower) {
		event_filter_free(query->filter);
		return -ENOMEM;
	}
	follower->events = events;
	follower->query = *query;
	/* First, so that nothing up to `until` can come between this and what is collected. */
	follower->closed = query->until_ns < timestamp_now_ns();
	/* Neither since nor until: what comes from now on. */
	if (query->since_ns == INT64_MIN && query->until_ns == INT64_MAX) {
		follower->seen = events_count(events);
		rc = 0;
	} else {
		rc = events_collect(events, query->since_ns, query->until_ns, &follower->replay,
		                    &follower->seen);
	}
	if (rc < 0) {
		follower_free(follower);
		return rc;
	}
	filter_replay(follower);
	follower->place = follower->seen;
	*ret = follower;
	return 0;
}

static void drop_replay(struct follower *follower)
{
	for (size_t i = 0; i < follower->replayed; i++)
		follower->replay.items[i] = NULL;
	event_list_fini(&follower->replay);
	follower->replayed = 0;
}

void follower_free(struct follower *follower)
{
	if (!follower)
		return;
	drop_replay(follower);
	event_unref(follower->current);
	event_filter_free(follower->query.filter);
	free(follower);
}

bool follower_stays(const struct follower *follower)
{
	return !follower->closed;
}

int64_t follower_until_ns(const struct follower *follower)
{
	return follower->query.until_ns;
}

/* --- what has happened */

/* What has left the ring unseen may have been wanted. */
static bool counts(const struct follower *follower, uint64_t number)
{
	_cleanup_event_ struct event *event = events_get(follower->events, number);

	return !event || is_wanted(follower, event);
}

static uint64_t replay_left(const struct follower *follower)
{
	return follower->replay.count - follower->replayed;
}

/* So that the ring's end takes nothing from it that it does not want. */
static void skip_unwanted(struct follower *follower)
{
	while (follower->place < follower->seen && !counts(follower, follower->place))
		follower->place++;
}

static bool has_left_the_ring(const struct follower *follower)
{
	_cleanup_event_ struct event *event = NULL;

	if (follower->waiting == 0)
		return false;
	event = events_get(follower->events, follower->place);
	return !event;
}

static void give_up(struct follower *follower)
{
	follower->lost = true;
	follower->waiting += replay_left(follower);
	drop_replay(follower);
}

void follower_look(struct follower *follower)
{
	/* In this order: what is added before the end, or before `until`, is seen. */
	bool last = events_ended(follower->events) || timestamp_now_ns() > follower->query.until_ns;
	uint64_t count = events_count(follower->events);

	if (follower->closed)
		return;
	for (; follower->seen < count; follower->seen++)
		follower->waiting += counts(follower, follower->seen);
	follower->closed = last;
	if (follower->lost)
		return;
	skip_unwanted(follower);
	if (follower->waiting > FOLLOWER_LAG_MAX || has_left_the_ring(follower))
		give_up(follower);
}

bool follower_is_lost(const struct follower *follower)
{
	return follower->lost;
}

bool follower_has_more(const struct follower *follower)
{
	return follower->current || follower->lost || follower->closed || follower->waiting > 0 ||
	       replay_left(follower) > 0;
}

/* --- telling */

static struct event *make_marker(const struct follower *follower)
{
	_cleanup_text_ struct text attributes = {0};
	char count[24];

	snprintf(count, sizeof(count), "%" PRIu64, follower->waiting);
	json_open(&attributes, '{');
	json_member_string(&attributes, "count", count);
	json_close(&attributes, '}');
	if (attributes.failed)
		return NULL;
	return event_new(timestamp_now_ns(), "daemon", "lost", NULL, attributes.data);
}

static struct event *next_marker(struct follower *follower)
{
	if (follower->told_lost)
		return NULL;
	follower->told_lost = true;
	events_note_lost(follower->events, follower->waiting);
	return make_marker(follower);
}

static struct event *next_replayed(struct follower *follower)
{
	struct event **item = &follower->replay.items[follower->replayed++];

	return take(*item);
}

/* What to tell next, referenced; NULL: nothing for the moment, or ever. */
static struct event *next_event(struct follower *follower)
{
	struct event *event;

	if (follower->lost)
		return next_marker(follower);
	if (replay_left(follower) > 0)
		return next_replayed(follower);
	if (follower->waiting == 0)
		return NULL;
	skip_unwanted(follower);
	event = events_get(follower->events, follower->place);
	if (!event) {
		give_up(follower);
		return next_marker(follower);
	}
	follower->place++;
	follower->waiting--;
	return event;
}

static size_t tell(struct follower *follower, char *buffer, size_t size)
{
	size_t left = follower->current->length - follower->offset, part = left < size ? left : size;

	memcpy(buffer, follower->current->line + follower->offset, part);
	follower->offset += part;
	if (part == left)
		event_unref(take(follower->current));
	return part;
}

static bool is_over(const struct follower *follower)
{
	return follower->lost ? follower->told_lost : follower->closed && follower->waiting == 0;
}

ssize_t follower_read(struct follower *follower, char *buffer, size_t size)
{
	size_t done = 0;

	follower_look(follower);
	while (done < size) {
		if (!follower->current) {
			follower->current = next_event(follower);
			follower->offset = 0;
		}
		if (!follower->current)
			break;
		done += tell(follower, buffer + done, size - done);
	}
	if (done > 0)
		return (ssize_t)done;
	return is_over(follower) ? -1 : 0;
}
