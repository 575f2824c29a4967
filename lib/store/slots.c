/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/slots.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PAUSE_NS   20000L
#define LONGEST_PAUSE_NS 10000000L

_Thread_local unsigned slot_index;
struct slot slots[SLOT_COUNT];

/* The thread shall do without from now on. */
static _Thread_local bool without __attribute__((tls_model("initial-exec")));

/* A bit for each slot. All are taken until slots_init() has found that they can be used. */
static _Atomic uint64_t taken = UINT64_MAX;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool available; /* set once, before slots_init() returns */

static bool barrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) == 0;
}

/*
 * Another destructor of the thread's may pin or unpin after this one. It does without a slot: one that is claimed
 * in the last round of destructors would never be given back.
 */
static void give_back(void *value)
{
	slot_index = 0;
	without = true;
	atomic_fetch_and_explicit(&taken, ~(UINT64_C(1) << (uintptr_t)value), memory_order_release);
}

static void init(void)
{
	/* Registering can be allowed and the barrier itself not: better to know it now. */
	if (!barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) || !barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return;
	if (pthread_key_create(&at_exit, give_back) != 0)
		return;
	available = true;
	atomic_store_explicit(&taken, 1, memory_order_release);
}

void slots_init(void)
{
	pthread_once(&once, init);
}

unsigned slot_claim(void)
{
	uint64_t before = atomic_load_explicit(&taken, memory_order_relaxed);
	unsigned index;

	if (without)
		return 0;
	do {
		if (before == UINT64_MAX)
			return 0;
		index = (unsigned)__builtin_ctzll(~before);
		/* With what the slot's last thread has counted. */
	} while (!atomic_compare_exchange_weak_explicit(&taken, &before, before | UINT64_C(1) << index,
	                                                memory_order_acquire, memory_order_relaxed));
	if (pthread_setspecific(at_exit, (void *)(uintptr_t)index) != 0) {
		give_back((void *)(uintptr_t)index);
		return 0;
	}
	slot_index = index;
	return index;
}

/* Who is there for longer than a moment has been taken off its processor, or waits for a lock. */
static void wait_for(const _Atomic uint64_t *seq)
{
	uint64_t seen = atomic_load_explicit(seq, memory_order_acquire);
	long pause_ns = FIRST_PAUSE_NS;

	if (seen % 2 == 0)
		return;
	sched_yield();
	while (atomic_load_explicit(seq, memory_order_acquire) == seen) {
		nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
		if (pause_ns < LONGEST_PAUSE_NS)
			pause_ns *= 2;
	}
}

void slots_wait(enum section kind)
{
	for (unsigned i = 1; i < SLOT_COUNT; i++)
		wait_for(&slots[i].seq[kind]);
}

bool slots_settle(void)
{
	if (!available)
		return true; /* there are no sections */
	if (!barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return false;
	slots_wait(SECTION_PIN);
	return true;
}
