/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A follower is what one request for events still has to be told: what `since` replays, then what comes, until it
 * ends or has fallen too far behind. It knows nothing of HTTP. Used by one thread at a time.
 */
#ifndef RTREGD_FOLLOWERS_H
#define RTREGD_FOLLOWERS_H

#include <sys/types.h>

#include "event_filter.h"
#include "events.h"

/* How many events that came after its request may wait for a follower. */
#define FOLLOWER_LAG_MAX 256

struct event_query {
	int64_t since_ns, until_ns; /* both included; INT64_MIN and INT64_MAX: not given */
	struct event_filter *filter;
};

struct follower;

/* Takes query->filter, whatever comes of it. -ENOMEM. */
int follower_new(struct events *events, const struct event_query *query, struct follower **ret);
/* NULL is allowed. */
void follower_free(struct follower *follower);

/* Whether there is more to come than what has already happened. */
bool follower_stays(const struct follower *follower);
/* When it will end by itself; INT64_MAX: never. */
int64_t follower_until_ns(const struct follower *follower);

/*
 * Takes note of what has happened since the last time. To be called after every event, so that one that is too slow
 * lets go of what it holds.
 */
void follower_look(struct follower *follower);
/* Whether follower_read() would not return 0. Context: after follower_look(). */
bool follower_has_more(const struct follower *follower);
/* It has fallen too far behind: the marker, then the end, are all that is left. */
bool follower_is_lost(const struct follower *follower);

/* Copies what there is to say, as much as fits. 0: nothing for the moment; -1: it is over. */
ssize_t follower_read(struct follower *follower, char *buffer, size_t size);

#endif
