/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kept.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "reloads.h"

/* Of one thread; when it is reached they are made anew, as they are asked for. */
#define SIZE_MAX_BYTES ((size_t)16 << 20)
/* What the library and the C library take for one beside its body, about. */
#define OVERHEAD_BYTES ((size_t)1 << 10)

/* FNV, eight bytes at a time, and mixed at the end: targets are short, and reading them is what it costs. */
uint64_t kept_hash(const char *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u ^ size, word;

	for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3u;
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, bytes, size);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

void kept_release(struct kept_reply *reply)
{
	if (!reply || --reply->users > 0)
		return;
	MHD_destroy_response(reply->answer.response);
	free(reply);
}

static size_t size_of(const struct kept_reply *reply)
{
	return sizeof(*reply) + reply->key.size + reply->answer.body_size + OVERHEAD_BYTES;
}

void kept_drop(struct kept *kept)
{
	for (size_t i = 0; i < KEPT_SLOTS && kept->size_bytes > 0; i++) {
		while (kept->slots[i]) {
			struct kept_reply *reply = kept->slots[i];

			kept->slots[i] = reply->next;
			kept->size_bytes -= size_of(reply);
			kept_release(reply);
		}
	}
}

/* Whether what is kept is of the live generation. */
static bool is_live(const struct kept *kept)
{
	return kept->size_bytes > 0 && kept->generation == live_generation(kept->registry);
}

void kept_refresh(struct kept *kept)
{
	if (!is_live(kept))
		kept_drop(kept);
}

static bool is_for(const struct kept_reply *reply, const struct kept_key *key)
{
	return reply->key.hash == key->hash && reply->key.size == key->size &&
	       memcmp(reply->key.bytes, key->bytes, key->size) == 0;
}

/* Where the one for this target is, or where it would be. */
static struct kept_reply **place_of(struct kept *kept, const struct kept_key *key)
{
	struct kept_reply **at = &kept->slots[key->hash % KEPT_SLOTS];

	while (*at && !is_for(*at, key))
		at = &(*at)->next;
	return at;
}

/* Once a second, not with each reply as the library would. No locale is ever set. */
static void keep_date(struct kept_reply *reply)
{
	time_t now = time(NULL);
	struct tm parts;
	char date[32];

	if (reply->dated == now)
		return;
	gmtime_r(&now, &parts);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	if (MHD_add_response_header(reply->answer.response, "Date", date) == MHD_YES)
		reply->dated = now;
}

struct kept_reply *kept_find(struct kept *kept, const struct kept_key *key, int64_t now_ns)
{
	struct kept_reply *reply = *place_of(kept, key);

	if (!reply || reply->answer.until_ns <= now_ns || !is_live(kept))
		return NULL;
	keep_date(reply);
	reply->users++;
	return reply;
}

static void remove_at(struct kept *kept, struct kept_reply **at)
{
	struct kept_reply *reply = *at;

	*at = reply->next;
	kept->size_bytes -= size_of(reply);
	kept_release(reply);
}

static struct kept_reply *reply_new(const struct kept_key *key, const struct kept_answer *answer)
{
	struct kept_reply *reply = malloc(sizeof(*reply) + key->size);
	char *bytes = (char *)(reply + 1);

	if (!reply)
		return NULL;
	*reply = (struct kept_reply){.answer = *answer, .key = *key, .users = 1};
	reply->key.bytes = memcpy(bytes, key->bytes, key->size);
	return reply;
}

/* Makes room for it among those of its generation. False: it is not to be kept. */
static bool make_room(struct kept *kept, const struct kept_key *key, const struct kept_reply *reply)
{
	struct kept_reply **old;

	if (size_of(reply) > SIZE_MAX_BYTES / 2 || reply->answer.generation < kept->generation)
		return false;
	if (reply->answer.generation > kept->generation)
		kept_drop(kept);
	old = place_of(kept, key);
	if (*old)
		remove_at(kept, old);
	if (kept->size_bytes + size_of(reply) > SIZE_MAX_BYTES)
		kept_drop(kept);
	return true;
}

bool kept_add(struct kept *kept, const struct kept_key *key, const struct kept_answer *answer)
{
	struct kept_reply *reply = reply_new(key, answer), **at;

	if (!reply) {
		MHD_destroy_response(answer->response);
		return false;
	}
	if (!make_room(kept, key, reply)) {
		kept_release(reply);
		return false;
	}
	at = place_of(kept, key);
	reply->next = *at;
	*at = reply;
	kept->generation = answer->generation;
	kept->size_bytes += size_of(reply);
	return true;
}
