/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pins as fast as threads can make them, while snapshots follow each other as fast as they can be reclaimed: more threads
 * than there are slots, threads that come and go, and pins that another thread returns. A snapshot's pages are read-only
 * while it is published and unmapped when it is freed: whoever looks at one too late dies, or sees another's number.
 *
 * usage: pins [SECONDS [without-membarrier]]      exit 0 only if all got on, and in the end everything was freed
 */
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <urcu.h>

#include "guarded_arena.h"
#include "store/store.h"

#define FAST    2                     /* threads that do nothing else */
#define CROWD   (RTREG_PIN_SLOTS + 8) /* threads that hold a pin most of the time */
#define COMING  2                     /* places that threads come to for a short while, one after the other */
#define SHORT   50                    /* pins of such a thread */
#define LETTERS 16                    /* pins on the way from one thread to another */

static struct store store;
static struct statistics statistics;
static struct rtreg *const registry = (struct rtreg *)(void *)&store;
static const struct rtreg_snapshot *_Atomic letters[LETTERS];
static atomic_bool stop;
static pthread_barrier_t crowded;
static atomic_ulong pins, without_slot, visitors, wrong;

/* --- snapshots --- */

static void publish(uint64_t generation)
{
	struct arena *arena = arena_new();
	struct rtreg_snapshot *snapshot = arena ? arena_alloc(arena, sizeof(*snapshot)) : NULL;

	if (!snapshot)
		exit(2);
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->arena = arena;
	snapshot->head.generation = generation;
	snapshot->runtime_count = generation;
	if (store_prepare(&store, snapshot) < 0)
		exit(2);
	arena_protect(arena);
	store_retire(&store, store_publish(&store, snapshot));
}

static uint64_t look(const struct rtreg_snapshot *snapshot)
{
	uint64_t generation = snapshot->head.generation;

	if (generation == 0 || snapshot->runtime_count != generation)
		atomic_fetch_add(&wrong, 1);
	return generation;
}

/* --- threads --- */

/* Sends one's own pin and returns whose one finds. */
static void exchange(const struct rtreg_snapshot *pin, unsigned letter)
{
	const struct rtreg_snapshot *other = atomic_exchange(&letters[letter % LETTERS], pin);

	if (other)
		look(other);
	rtreg_unpin(other);
}

static void pin_once(unsigned round, bool yields)
{
	/* Both forms: inlined, and as other languages call it. */
	const struct rtreg_snapshot *pin = round % 3 == 0 ? (rtreg_pin)(registry) : rtreg_pin(registry);
	uint64_t generation = look(pin);

	if (yields)
		sched_yield();
	if (look(pin) != generation)
		atomic_fetch_add(&wrong, 1);
	if (round % 4 == 0)
		exchange(pin, round / 4);
	else if (round % 4 == 1)
		(rtreg_unpin)(pin);
	else
		rtreg_unpin(pin);
}

static void count(unsigned long made)
{
	atomic_fetch_add(&pins, made);
	if (rtreg_pin_thread.index == 0)
		atomic_fetch_add(&without_slot, made);
}

static void *pin_fast(void *argument)
{
	unsigned made = 0;

	(void)argument;
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		pin_once(++made, false);
	count(made);
	return NULL;
}

static void *pin_in_the_crowd(void *argument)
{
	unsigned made = 1;

	(void)argument;
	/* None leaves before all have come, and there are not slots for all. */
	pin_once(made, true);
	count(made);
	pthread_barrier_wait(&crowded);
	for (made = 0; !atomic_load(&stop);)
		pin_once(++made, true);
	count(made);
	return NULL;
}

static void *pin_for_a_while(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < SHORT; i++)
		pin_once(i, i % 16 == 0);
	count(SHORT);
	atomic_fetch_add(&visitors, 1);
	return NULL;
}

static void *let_threads_come(void *argument)
{
	pthread_t thread;

	(void)argument;
	do
		if (pthread_create(&thread, NULL, pin_for_a_while, NULL) == 0)
			pthread_join(thread, NULL);
	while (!atomic_load(&stop));
	return NULL;
}

/* --- the rest --- */

/* Of the process that this program is; liburcu's own barriers go on working. */
static bool forbid_membarrier(void)
{
	struct sock_filter filter[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 3),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The numbers that people ask for while all this goes on: nobody can have more pins than there are threads and letters. */
static void ask(void)
{
	struct rtreg_statistics told = {0};

	store_statistics(&store, &told);
	if (told.pins > 1000000000 || told.pinned > told.pins)
		atomic_fetch_add(&wrong, 1);
}

static uint64_t publish_until(double end)
{
	uint64_t generation = 1;

	while (now() < end) {
		publish(++generation);
		ask();
		if (store_wait_room(&store, 60000) < 0)
			exit(3);
	}
	return generation;
}

int main(int argc, char **argv)
{
	static void *(*const kinds[])(void *) = {pin_fast, let_threads_come, pin_in_the_crowd};
	static const int sizes[] = {FAST, COMING, CROWD};
	static pthread_t threads[FAST + COMING + CROWD];
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
	bool slotless = argc > 2;
	uint64_t generations;
	int n = 0;

	if (slotless && !forbid_membarrier())
		return 77;
	if (store_init(&store, &rcu_flavor, &statistics) < 0)
		return 2;
	publish(1);
	pthread_barrier_init(&crowded, NULL, CROWD);
	for (int kind = 0; kind < 3; kind++)
		for (int i = 0; i < sizes[kind]; i++)
			if (pthread_create(&threads[n++], NULL, kinds[kind], NULL) != 0)
				return 2;
	generations = publish_until(now() + seconds);
	atomic_store(&stop, true);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	for (int i = 0; i < LETTERS; i++)
		rtreg_unpin(atomic_exchange(&letters[i], NULL));
	store_fini(&store);
	printf("%lu pins, %lu of threads without a slot, %lu visitors; %lu generations, %lu freed; %lu "
	       "wrong\n",
	       atomic_load(&pins), atomic_load(&without_slot), atomic_load(&visitors),
	       (unsigned long)generations, (unsigned long)statistics_counted(&statistics, COUNT_FREED),
	       atomic_load(&wrong));
	return atomic_load(&wrong) == 0 && generations > 1 && atomic_load(&visitors) > 0 &&
	                       statistics_counted(&statistics, COUNT_FREED) == generations &&
	                       atomic_load(&without_slot) > 0 &&
	                       (atomic_load(&without_slot) == atomic_load(&pins)) == slotless
	               ? 0
	               : 1;
}
