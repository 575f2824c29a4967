/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rtregd shares with other processes, byte for byte (docs/shared.md): the control page, a snapshot, and the
 * records that are exchanged for their descriptors. Integers are the machine's; offsets are from the beginning.
 */
#ifndef RTREG_SHARED_FORMAT_H
#define RTREG_SHARED_FORMAT_H

#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>

#define SHARED_PROTOCOL "rtreg-snapshot/1"
#define SHARED_TARGET   "/v1/snapshot"

#define SHARED_CONTROL_MAGIC  "rtregctl"
#define SHARED_SNAPSHOT_MAGIC "rtregsnp"
#define SHARED_VERSION        1u

#define SHARED_CONTROL_SEALS  (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define SHARED_SNAPSHOT_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* The hash of this name stands in each snapshot: who hashes otherwise cannot look anything up in it. */
#define SHARED_HASH_SAMPLE "io.containerd.sample.v1"

struct shared_control {
	char magic[8];
	uint32_t version;
	uint32_t owner_offset; /* of the futex word that has the thread id of who writes here */
	uint64_t epoch;
	uint64_t generation; /* stored with release order; 0: none yet */
};

struct shared_header {
	char magic[8];
	uint32_t version;
	uint32_t slot_count, entry_count;
	uint32_t default_entry;
	uint32_t slots, entries, strings; /* offsets */
	uint32_t zero;
	uint64_t epoch, generation;
	uint64_t size; /* of all */
	uint64_t hash_sample;
};

struct shared_slot {
	uint32_t tag;   /* shared_tag() of the name's hash */
	uint32_t entry; /* + 1; 0: the slot is empty */
};

/* `offset` 0: there is none. The byte behind the last is NUL. */
struct shared_string {
	uint32_t offset, length;
};

struct shared_entry {
	struct shared_string name, shim, binary, options;
};

/* The table is entered by the low bits of the hash. */
static inline uint32_t shared_tag(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

enum { SHARED_ASK_CONTROL = 1, SHARED_ASK_SNAPSHOT = 2 };

struct shared_question {
	uint32_t what, zero;
};

/* With one descriptor where `code` is 0. */
struct shared_answer {
	uint32_t what;
	int32_t code; /* a negative errno */
	uint64_t size;
};

#endif
