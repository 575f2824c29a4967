/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mapping side of format.h. What comes from a descriptor is not trusted: seals and sizes are compared first, every
 * offset is checked once, and what was checked cannot change any more.
 */
#ifndef RTREG_SHARED_READ_H
#define RTREG_SHARED_READ_H

#include <stdbool.h>
#include <string.h>

#include "rtreg/rtreg.h"
#include "shared/format.h"

/* The control page of a daemon. Zeroed is "none". */
struct shared_view {
	const struct shared_control *control;
	const uint32_t *owner;
	size_t size;
};

/* `fd` stays the caller's. Errors: -EPROTO it is no control page; what fcntl, fstat and mmap say. */
int shared_view_map(int fd, struct shared_view *ret);
void shared_view_unmap(struct shared_view *view);

/* A snapshot. Zeroed is "none". */
struct shared_snapshot {
	const char *bytes;
	uint64_t size;
	const struct shared_slot *slots;
	const struct shared_entry *entries;
	uint64_t mask;
	uint32_t default_entry;
	uint64_t epoch, generation;
};

/* Errors: -EPROTO it is not one, or a damaged one, or of another hash; what fcntl, fstat and mmap say. */
int shared_snapshot_map(int fd, struct shared_snapshot *ret);
void shared_snapshot_unmap(struct shared_snapshot *snapshot);
/* What mapping checks, for bytes that are there already. 0 or -EPROTO. */
int shared_snapshot_check(const void *bytes, uint64_t size, struct shared_snapshot *ret);

static inline uint64_t shared_view_generation(const struct shared_view *view)
{
	return __atomic_load_n(&view->control->generation, __ATOMIC_ACQUIRE);
}

/* An owner that has died has no thread id, and a bit that says so; one that has unlocked has neither. */
static inline bool shared_view_alive(const struct shared_view *view)
{
	uint32_t word = __atomic_load_n(view->owner, __ATOMIC_RELAXED);

	return (word & FUTEX_TID_MASK) != 0 && !(word & FUTEX_OWNER_DIED);
}

/* The entry of a name, or NULL: none. Length 0 is the default. */
static inline const struct shared_entry *shared_snapshot_find(const struct shared_snapshot *snapshot,
                                                              const char *name, size_t length)
{
	uint64_t hash;
	uint32_t tag;

	if (length == 0)
		return &snapshot->entries[snapshot->default_entry];
	hash = rtreg_hash(name, length);
	tag = shared_tag(hash);
	for (uint64_t i = hash & snapshot->mask; snapshot->slots[i].entry != 0;
	     i = (i + 1) & snapshot->mask) {
		const struct shared_entry *entry = &snapshot->entries[snapshot->slots[i].entry - 1];

		if (snapshot->slots[i].tag == tag && entry->name.length == length &&
		    memcmp(snapshot->bytes + entry->name.offset, name, length) == 0)
			return entry;
	}
	return NULL;
}

static inline const char *shared_snapshot_text(const struct shared_snapshot *snapshot,
                                               const struct shared_string *string)
{
	return string->offset ? snapshot->bytes + string->offset : NULL;
}

/* What an entry says, as rtregd answers over its socket. */
static inline void shared_snapshot_get(const struct shared_snapshot *snapshot,
                                       const struct shared_entry *entry, struct rtreg_runtime *ret)
{
	*ret = (struct rtreg_runtime){
	        .name = snapshot->bytes + entry->name.offset,
	        .shim = snapshot->bytes + entry->shim.offset,
	        .binary = shared_snapshot_text(snapshot, &entry->binary),
	        .options_json = shared_snapshot_text(snapshot, &entry->options),
	        .name_length = entry->name.length,
	        .shim_length = entry->shim.length,
	};
}

#endif
