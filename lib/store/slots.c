/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/slots.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PAUSE_NS   20000L
#define LONGEST_PAUSE_NS 10000000L

__thread struct rtreg_pin_thread rtreg_pin_thread;
struct rtreg_pin_slot slots[RTREG_PIN_SLOTS];

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
	rtreg_pin_thread = (struct rtreg_pin_thread){0};
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

bool slot_claim(void)
{
	uint64_t before = atomic_load_explicit(&taken, memory_order_relaxed);
	unsigned index;

	if (without)
		return false;
	do {
		if (before == UINT64_MAX)
			return false;
		index = (unsigned)__builtin_ctzll(~before);
		/* With what the slot's last thread has counted. */
	} while (!atomic_compare_exchange_weak_explicit(&taken, &before, before | UINT64_C(1) << index,
	                                                memory_order_acquire, memory_order_relaxed));
	if (pthread_setspecific(at_exit, (void *)(uintptr_t)index) != 0) {
		give_back((void *)(uintptr_t)index);
		return false;
	}
	rtreg_pin_thread = (struct rtreg_pin_thread){.slot = &slots[index], .index = index};
	return true;
}

/* Who is there for longer than a moment has been taken off its processor, or waits for a lock. */
static void wait_for(const uint64_t *seq)
{
	uint64_t seen = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
	long pause_ns = FIRST_PAUSE_NS;

	if (seen % 2 == 0)
		return;
	sched_yield();
	while (__atomic_load_n(seq, __ATOMIC_ACQUIRE) == seen) {
		nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
		if (pause_ns < LONGEST_PAUSE_NS)
			pause_ns *= 2;
	}
}

void slots_wait(enum rtreg_section kind)
{
	for (unsigned i = 1; i < RTREG_PIN_SLOTS; i++)
		wait_for(&slots[i].seq[kind]);
}

bool slots_settle(void)
{
	if (!available)
		return true; /* there are no sections */
	if (!barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return false;
	slots_wait(RTREG_SECTION_PIN);
	return true;
}
