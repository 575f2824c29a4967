/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inline readers of <rtreg/rtreg.h>, and the layout that they see. The layout is private: it goes with
 * the soname, and nothing outside these functions may use it. Include <rtreg/rtreg.h>, never this file.
 */
#ifndef RTREG_INLINE_H
#define RTREG_INLINE_H

#include <errno.h>
#include <string.h>

#if !defined(NDEBUG) && defined(rcu_flavor)
#include <assert.h>
#define RTREG_DEBUG_ASSERT(condition) assert(condition)
#else
#define RTREG_DEBUG_ASSERT(condition) ((void)0)
#endif

/* The first members of struct rtreg. */
struct rtreg_head {
	const struct rtreg_snapshot *published; /* RCU-protected; written by store_publish() alone */
	const struct rcu_flavor_struct *flavor;
};

#if defined(__SANITIZE_THREAD__)
#define RTREG_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RTREG_TSAN 1
#endif
#endif

#ifdef RTREG_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#endif

/*
 * What the edges between readers and the reclaimer are tied to, for the thread sanitizer: the address of the
 * flavour, which readers, reclaimer and everything that goes offline know. Not the published pointer's: an
 * atomic store to an address takes away what readers released there before.
 */
static inline void *rtreg_tsan_token(const struct rcu_flavor_struct *flavor)
{
	return (void *)(uintptr_t)flavor;
}

/*
 * For programs that are built with the thread sanitizer: call it before the reader section ends, so that the
 * sanitizer knows what a grace period orders (docs/concurrency.md). Nothing in other builds.
 */
static inline void rtreg_tsan_reader_done(struct rtreg *registry)
{
#ifdef RTREG_TSAN
	__tsan_release(rtreg_tsan_token(((struct rtreg_head *)(void *)registry)->flavor));
#else
	(void)registry;
#endif
}

/* A slot of a snapshot's hash table: open addressing, linear probing, hash 0 is an empty slot. */
struct rtreg_slot {
	uint64_t hash;
	const struct rtreg_runtime *runtime;
};

/* The first members of struct rtreg_snapshot. */
struct rtreg_snapshot_head {
	const struct rtreg_slot *slots;
	uint64_t mask;                               /* slots - 1; at least one slot is empty */
	const struct rtreg_runtime *default_runtime; /* what "" resolves to */
	uint64_t generation;
};

/* Hash of a runtime name; never 0. Eight bytes at a time: names are short, and reading them dominates. */
static inline uint64_t rtreg_hash(const char *name, size_t length)
{
	uint64_t hash = 0x9e3779b97f4a7c15ull ^ length;
	uint64_t word;

	while (length >= 8) {
		memcpy(&word, name, 8);
		hash = (hash ^ word) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
		name += 8;
		length -= 8;
	}
	word = 0;
	for (size_t i = 0; i < length; i++)
		word = word << 8 | (unsigned char)name[i];
	hash = (hash ^ word) * 0xff51afd7ed558ccdull;
	hash ^= hash >> 32;
	return hash | 1u << 31;
}

/*
 * A permissible implicit shim name (CONTRACT C44): no '/', contains '.', does not start with one; no NUL.
 * Other bytes are the caller's business.
 */
static inline bool rtreg_name_is_shim(const char *name, size_t length)
{
	return length > 0 && name[0] != '.' && memchr(name, '.', length) && !memchr(name, '/', length) &&
	       !memchr(name, '\0', length);
}

/*
 * Resolves a runtime name within one snapshot (CONTRACT C44). `length` bytes at `name`; length 0 is the
 * default. No allocation, no lock, no system call. Context: any thread, while the snapshot is borrowed or
 * pinned. Returns 0, or -EINVAL with "unknown or invalid runtime name: …".
 */
static inline int rtreg_resolve_len(const struct rtreg_snapshot *snapshot, const char *name, size_t length,
                                    struct rtreg_runtime *ret, struct rtreg_error *error)
{
	const struct rtreg_snapshot_head *head = (const struct rtreg_snapshot_head *)(const void *)snapshot;
	uint64_t hash;

	if (length == 0) {
		*ret = *head->default_runtime;
		return 0;
	}
	hash = rtreg_hash(name, length);
	for (uint64_t i = hash & head->mask; head->slots[i].hash != 0; i = (i + 1) & head->mask) {
		const struct rtreg_runtime *found = head->slots[i].runtime;

		if (head->slots[i].hash == hash && found->name_length == length &&
		    memcmp(found->name, name, length) == 0) {
			*ret = *found;
			return 0;
		}
	}
	if (!rtreg_name_is_shim(name, length) || length > UINT32_MAX)
		return rtreg_resolve_failed(name, length, error);
	memset(ret, 0, sizeof(*ret));
	ret->name = name;
	ret->shim = name;
	ret->name_length = (uint32_t)length;
	ret->shim_length = (uint32_t)length;
	return 0;
}

/* The same for a NUL-terminated name; NULL or "" is the default. */
static inline int rtreg_resolve(const struct rtreg_snapshot *snapshot, const char *name,
                                struct rtreg_runtime *ret, struct rtreg_error *error)
{
	return rtreg_resolve_len(snapshot, name, name ? strlen(name) : 0, ret, error);
}

#ifdef rcu_flavor

/* Opens a registry whose readers use the liburcu flavour that this file included. See rtreg_open_flavor(). */
static inline int rtreg_open(const struct rtreg_options *options, struct rtreg **ret,
                             struct rtreg_error *error)
{
	return rtreg_open_flavor(options, &rcu_flavor, ret, error);
}

/*
 * The current snapshot, valid until the reader section ends.
 * Context: a thread registered with liburcu, inside a reader section of the registry's flavour.
 */
static inline const struct rtreg_snapshot *rtreg_borrow(struct rtreg *registry)
{
	const struct rtreg_head *head = (const struct rtreg_head *)(const void *)registry;

	RTREG_DEBUG_ASSERT(head->flavor == &rcu_flavor);
	RTREG_DEBUG_ASSERT(rcu_read_ongoing());
	/*
	 * This is rcu_dereference(), spelled with the compiler's builtin: liburcu inlines its own only with
	 * _LGPL_SOURCE, which is the including program's choice, and a thread sanitizer sees this one.
	 */
	return __atomic_load_n(&head->published, __ATOMIC_CONSUME);
}

#define RTREG_CALLERS_FLAVOR (&rcu_flavor)
#else
#define RTREG_CALLERS_FLAVOR NULL
#endif

/* See rtreg_runtime_check_flavor(). May block. */
static inline int rtreg_runtime_check(const struct rtreg_runtime *runtime, struct rtreg_error *error)
{
	return rtreg_runtime_check_flavor(runtime, RTREG_CALLERS_FLAVOR, error);
}

#endif
