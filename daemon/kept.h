/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replies that a request thread keeps: what was answered from one generation, by the target that was asked for,
 * to be sent again as it is until there is another generation (docs/socket.md). Each thread has its own, so that
 * sending one takes no lock and writes to nothing that threads share. Context of everything here: that one thread.
 */
#ifndef RTREGD_KEPT_H
#define RTREGD_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* As long as the generation is live. */
#define KEEP_FOREVER INT64_MAX

struct MHD_Response;
struct route;
struct rtreg;

/* What was asked for: the target's bytes, and their kept_hash(). */
struct kept_key {
	const char *bytes;
	size_t size;
	uint64_t hash;
};

/* What there is to keep. */
struct kept_answer {
	const struct route *route;
	size_t route_number;
	struct MHD_Response *response;
	size_t body_size;
	uint64_t generation;
	int64_t until_ns; /* statistics_now_ns(), or KEEP_FOREVER */
};

struct kept_reply {
	struct kept_answer answer;
	struct kept_reply *next;
	struct kept_key key; /* its bytes are behind this */
	unsigned users;
	time_t dated; /* what its header Date says */
};

#define KEPT_SLOTS 1024

/* Zeroed but for the registry it is empty. */
struct kept {
	struct rtreg *registry;
	uint64_t generation; /* that all of them are of */
	size_t size_bytes;   /* of all of them, about */
	struct kept_reply *slots[KEPT_SLOTS];
};

uint64_t kept_hash(const char *bytes, size_t size);

/*
 * What was kept for this target, if that is of the live generation and its time is after `now_ns`; else NULL. It is
 * there until kept_release(), whatever is dropped meanwhile.
 */
struct kept_reply *kept_find(struct kept *kept, const struct kept_key *key, int64_t now_ns);
/* NULL is allowed. */
void kept_release(struct kept_reply *reply);
/*
 * Keeps an answer; takes its response, also where it is not kept, which it tells: too large, no memory, or of an older
 * generation than others are.
 */
bool kept_add(struct kept *kept, const struct kept_key *key, const struct kept_answer *answer);

/* Drops them if they are not of the live generation. */
void kept_refresh(struct kept *kept);
void kept_drop(struct kept *kept);

#endif
