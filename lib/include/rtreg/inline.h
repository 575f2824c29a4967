/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inline readers and pins of <rtreg/rtreg.h>, and the layout that they see. The layout is private: it goes with
 * the soname, and nothing outside these functions may use it. So does the order in which pins write (docs/concurrency.md).
 * Include <rtreg/rtreg.h>, never this file.
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

/*
 * What a look-up passes through: left to itself a compiler makes a call of it where a file has two. What is rare is
 * apart, so that little is inlined.
 */
#define RTREG_INLINE static inline __attribute__((always_inline))

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

/*
 * A slot of a snapshot's hash table: open addressing, linear probing, at most half full. The words of the name are in
 * it, so that a look-up compares registers with one cache line, and need not go to the letters elsewhere.
 */
struct rtreg_slot {
	struct rtreg_words words;
	const struct rtreg_runtime *runtime; /* NULL: an empty slot */
};

/* The first members of struct rtreg_snapshot. */
struct rtreg_snapshot_head {
	const struct rtreg_slot *slots;
	uint64_t mask;                               /* slots - 1; at least one slot is empty */
	const struct rtreg_runtime *default_runtime; /* what "" resolves to */
	uint64_t generation;
	struct rtreg_pins *pins; /* beside the snapshot, which nobody writes */
};

/* A name up to this length is its words and its length: names with the same are the same. */
#define RTREG_WORDS_MAX 24

RTREG_INLINE uint64_t rtreg_load8(const char *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

RTREG_INLINE uint64_t rtreg_load4(const char *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

/*
 * The words of a name: its first eight bytes, the next eight, and the last eight. They overlap where it is shorter
 * than 24 bytes, so that there is neither a loop over bytes nor a branch for each length.
 */
RTREG_INLINE struct rtreg_words rtreg_words(const char *name, size_t length)
{
	struct rtreg_words ret = {0, 0, 0};

	if (length >= 8) {
		ret.first = rtreg_load8(name);
		ret.second = rtreg_load8(name + (length < 16 ? length - 8 : 8));
		ret.last = rtreg_load8(name + length - 8);
	} else if (length >= 4) {
		ret.first = rtreg_load4(name);
		ret.last = rtreg_load4(name + length - 4);
	} else if (length > 0) {
		ret.first = (unsigned char)name[0];
		ret.second = (unsigned char)name[length / 2];
		ret.last = (unsigned char)name[length - 1];
	}
	return ret;
}

/* rtreg_mix() where there is no product of 128 bits. */
static inline uint64_t rtreg_mix_by_halves(uint64_t a, uint64_t b)
{
	const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	const uint64_t one = (a >> 32) * (b & UINT32_MAX), other = (a & UINT32_MAX) * (b >> 32);
	const uint64_t middle = (low >> 32) + (one & UINT32_MAX) + (other & UINT32_MAX);

	return (middle << 32 | (low & UINT32_MAX)) ^ (high + (one >> 32) + (other >> 32) + (middle >> 32));
}

/* Both halves of the product: every bit of `a` and of `b` has its part in all of the result. */
RTREG_INLINE uint64_t rtreg_mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ typedef unsigned __int128 rtreg_product;
	const rtreg_product product = (rtreg_product)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	return rtreg_mix_by_halves(a, b);
#endif
}

/*
 * Hash of the name whose words and length are given; its letters are read again only between the second word and the
 * last of a long one. Not seeded: docs/read.md says why. The first factor is not 0 for any name that a runtime can have:
 * its constant has a control character's byte where no length reaches.
 */
RTREG_INLINE uint64_t rtreg_hash_words(const char *name, size_t length, struct rtreg_words words)
{
	uint64_t first = words.first;

	if (__builtin_expect(length > RTREG_WORDS_MAX, 0))
		for (size_t at = 16; at + 8 < length; at += 8)
			first = rtreg_mix(first ^ 0x9e3779b97f4a7c15u,
			                  rtreg_load8(name + at) ^ 0xe7037ed1a0b428dbu);
	return rtreg_mix(first ^ length ^ 0x13198a2e03707345u, words.last ^ 0xa4093822299f31d1u) ^
	       rtreg_mix(words.second, 0x589965cc75374cc3u);
}

/* Hash of a name of `length` bytes. */
RTREG_INLINE uint64_t rtreg_hash(const char *name, size_t length)
{
	return rtreg_hash_words(name, length, rtreg_words(name, length));
}

/* The last words differ most often. */
RTREG_INLINE bool rtreg_words_equal(const struct rtreg_words *a, const struct rtreg_words *b)
{
	return a->last == b->last && a->first == b->first && a->second == b->second;
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
 * The name as look-ups use it, taken once; see struct rtreg_name. NULL or "" is the default.
 * Context: any thread.
 */
RTREG_INLINE void rtreg_name_init_len(struct rtreg_name *ret, const char *name, size_t length)
{
	ret->name = name;
	ret->length = length;
	ret->words = rtreg_words(name, length);
	ret->hash = rtreg_hash_words(name, length, ret->words);
}

RTREG_INLINE void rtreg_name_init(struct rtreg_name *ret, const char *name)
{
	rtreg_name_init_len(ret, name, name ? strlen(name) : 0);
}

/* The runtime of this name, which is not empty; NULL: there is none. */
RTREG_INLINE const struct rtreg_runtime *rtreg_find(const struct rtreg_snapshot_head *head,
                                                    const struct rtreg_name *name)
{
	for (uint64_t at = name->hash;; at++) {
		const struct rtreg_slot *slot = &head->slots[at & head->mask];
		const struct rtreg_runtime *found = slot->runtime;

		if (__builtin_expect(!found, 0))
			return NULL;
		if (__builtin_expect(rtreg_words_equal(&slot->words, &name->words) &&
		                             found->name_length == name->length,
		                     1) &&
		    (__builtin_expect(name->length <= RTREG_WORDS_MAX, 1) ||
		     memcmp(found->name, name->name, name->length) == 0))
			return found;
	}
}

/* What is no runtime of the configuration: an implicit shim name, or an error. */
static inline __attribute__((cold)) int rtreg_resolve_other(const char *name, size_t length,
                                                            struct rtreg_runtime *ret,
                                                            struct rtreg_error *error)
{
	if (!rtreg_name_is_shim(name, length) || length > UINT32_MAX) {
		(void)rtreg_resolve_failed(name, length, error);
		return -EINVAL; /* which it returns: so compilers know that *ret is set where this is not */
	}
	memset(ret, 0, sizeof(*ret));
	ret->name = name;
	ret->shim = name;
	ret->name_length = (uint32_t)length;
	ret->shim_length = (uint32_t)length;
	return 0;
}

/*
 * Resolves a prepared name within one snapshot (CONTRACT C44), of whatever generation: as rtreg_resolve() with the
 * name that it was made of, for less than it costs to take the hash. No allocation, no lock, no system call.
 * Context: any thread, while the snapshot is borrowed or pinned. Returns 0, or -EINVAL with "unknown or invalid runtime
 * name: …".
 */
RTREG_INLINE int rtreg_resolve_name(const struct rtreg_snapshot *snapshot, const struct rtreg_name *name,
                                    struct rtreg_runtime *ret, struct rtreg_error *error)
{
	const struct rtreg_snapshot_head *head = (const struct rtreg_snapshot_head *)(const void *)snapshot;
	const struct rtreg_runtime *found = name->length > 0 ? rtreg_find(head, name) : head->default_runtime;

	if (__builtin_expect(found != NULL, 1)) {
		*ret = *found;
		return 0;
	}
	return rtreg_resolve_other(name->name, name->length, ret, error);
}

/*
 * Resolves a runtime name within one snapshot (CONTRACT C44). `length` bytes at `name`; length 0 is the
 * default. No allocation, no lock, no system call. Context: any thread, while the snapshot is borrowed or
 * pinned. Returns 0, or -EINVAL with "unknown or invalid runtime name: …".
 */
RTREG_INLINE int rtreg_resolve_len(const struct rtreg_snapshot *snapshot, const char *name, size_t length,
                                   struct rtreg_runtime *ret, struct rtreg_error *error)
{
	struct rtreg_name prepared;

	rtreg_name_init_len(&prepared, name, length);
	return rtreg_resolve_name(snapshot, &prepared, ret, error);
}

/* The same for a NUL-terminated name; NULL or "" is the default. */
RTREG_INLINE int rtreg_resolve(const struct rtreg_snapshot *snapshot, const char *name,
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
RTREG_INLINE const struct rtreg_snapshot *rtreg_borrow(struct rtreg *registry)
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

/* --- pins: docs/concurrency.md says why nothing here may be put in another order --- */

#define RTREG_PIN_SLOTS  64  /* number 0 is no slot: it stands for all threads that have none */
#define RTREG_PIN_STRIDE 128 /* two cache lines: the processor fetches them in pairs */

/*
 * Two kinds, each with a number of its own: nobody waits for both at once, and who pins and unpins in turn does not
 * wait for the one to be written before it reads it for the other.
 */
enum rtreg_section {
	RTREG_SECTION_PIN,
	RTREG_SECTION_UNPIN,
	RTREG_SECTION_KINDS,
};

/* Odd while the slot's thread is in a section of the kind. Written by that thread alone. */
struct rtreg_pin_slot {
	uint64_t seq[RTREG_SECTION_KINDS];
} __attribute__((aligned(RTREG_PIN_STRIDE)));

/* What was counted in a slot; but that of number 0, written by the slot's thread alone. Both numbers only ever grow. */
struct rtreg_pin_cell {
	uint64_t pins, unpins;
} __attribute__((aligned(RTREG_PIN_STRIDE)));

/* How often a snapshot is pinned. */
struct rtreg_pins {
	bool retired; /* its last unpin has to tell the reclaimer */
	struct rtreg_pin_cell cells[RTREG_PIN_SLOTS];
};

/*
 * The calling thread's slot; NULL and 0: none yet, or none to be had. In the initial-exec model, for a call into the
 * loader would cost more than all the rest; so dlopen() of the library takes a few bytes of what the C library sets
 * aside for that.
 */
struct rtreg_pin_thread {
	struct rtreg_pin_slot *slot;
	size_t index;
};
extern RTREG_EXPORT __thread struct rtreg_pin_thread rtreg_pin_thread
        __attribute__((tls_model("initial-exec")));

/* What is rare. For the inline functions: a thread without a slot, which may get one now; and an unpin's section. */
RTREG_EXPORT const struct rtreg_snapshot *rtreg_pin_first(struct rtreg *registry);
RTREG_EXPORT void rtreg_unpin_first(const struct rtreg_snapshot *snapshot);
RTREG_EXPORT void rtreg_unpin_retired(struct rtreg_pins *pins);

/* A section of the slot's thread; sections do not nest. Returns what rtreg_section_end() wants. */
RTREG_INLINE uint64_t rtreg_section_begin(uint64_t *seq)
{
	uint64_t before = __atomic_load_n(seq, __ATOMIC_RELAXED);

	__atomic_store_n(seq, before + 1, __ATOMIC_RELAXED);
	/* The processor may still put off the store behind what follows: the reclaimer makes it come forward. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return before;
}

/* Who sees that a section is over sees all that was done in it. */
RTREG_INLINE void rtreg_section_end(uint64_t *seq, uint64_t before)
{
	__atomic_store_n(seq, before + 2, __ATOMIC_RELEASE);
}

/*
 * For the one that writes the cell. A pin is released with the end of the section that it is counted in; an unpin
 * at once, for the reclaimer may act on it: what its thread has done before, entering the section included, is seen
 * by who sees it counted.
 */
RTREG_INLINE void rtreg_cell_pin(struct rtreg_pin_cell *cell)
{
	__atomic_store_n(&cell->pins, __atomic_load_n(&cell->pins, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

RTREG_INLINE void rtreg_cell_unpin(struct rtreg_pin_cell *cell)
{
	__atomic_store_n(&cell->unpins, __atomic_load_n(&cell->unpins, __ATOMIC_RELAXED) + 1,
	                 __ATOMIC_RELEASE);
}

RTREG_INLINE struct rtreg_pins *rtreg_pins_of(const struct rtreg_snapshot *snapshot)
{
	return ((const struct rtreg_snapshot_head *)(const void *)snapshot)->pins;
}

RTREG_INLINE const struct rtreg_snapshot *rtreg_pin_inline(struct rtreg *registry)
{
	const struct rtreg_head *head = (const struct rtreg_head *)(const void *)registry;
	struct rtreg_pin_slot *slot = rtreg_pin_thread.slot;
	const struct rtreg_snapshot *snapshot;
	uint64_t seq;

	if (__builtin_expect(!slot, 0))
		return rtreg_pin_first(registry);
	seq = rtreg_section_begin(&slot->seq[RTREG_SECTION_PIN]);
	snapshot = __atomic_load_n(&head->published, __ATOMIC_ACQUIRE);
	rtreg_cell_pin(&rtreg_pins_of(snapshot)->cells[rtreg_pin_thread.index]);
	rtreg_section_end(&slot->seq[RTREG_SECTION_PIN], seq);
	return snapshot;
}

RTREG_INLINE void rtreg_unpin_inline(const struct rtreg_snapshot *snapshot)
{
	struct rtreg_pin_slot *slot = rtreg_pin_thread.slot;
	struct rtreg_pins *pins;
	uint64_t seq;

	if (__builtin_expect(!snapshot || !slot, 0)) {
		rtreg_unpin_first(snapshot);
		return;
	}
	pins = rtreg_pins_of(snapshot);
	seq = rtreg_section_begin(&slot->seq[RTREG_SECTION_UNPIN]);
	rtreg_cell_unpin(&pins->cells[rtreg_pin_thread.index]);
	/* Now it may be counted; it is not freed before the section ends. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&pins->retired, __ATOMIC_RELAXED), 0))
		rtreg_unpin_retired(pins);
	rtreg_section_end(&slot->seq[RTREG_SECTION_UNPIN], seq);
}

/*
 * The functions of these names are the library's; (rtreg_pin)(registry), or a pointer to it, is a call of that one. Who
 * defines RTREG_PINS_CALLED calls it everywhere, and can have members of these names, or functions that stand in for it.
 */
#ifndef RTREG_PINS_CALLED
#define rtreg_pin(...)   rtreg_pin_inline(__VA_ARGS__)
#define rtreg_unpin(...) rtreg_unpin_inline(__VA_ARGS__)
#endif

/* See rtreg_runtime_check_flavor(). May block. */
static inline int rtreg_runtime_check(const struct rtreg_runtime *runtime, struct rtreg_error *error)
{
	return rtreg_runtime_check_flavor(runtime, RTREG_CALLERS_FLAVOR, error);
}

#endif
