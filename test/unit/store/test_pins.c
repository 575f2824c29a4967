/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pins from many threads: slots that are claimed, given back and taken over, threads that find none, and kernels that
 * have no membarrier. That no pin is missed is the model's business (test/model).
 */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "played_store.h"

#define MANY  (RTREG_PIN_SLOTS + 16) /* threads: more than there are slots */
#define CHURN 300

struct pinner {
	pthread_t thread;
	const struct rtreg_snapshot *pin;
	size_t slot;
};

static pthread_barrier_t all_there, all_done;

static void *pin_on_thread(void *argument)
{
	struct pinner *pinner = argument;

	pinner->pin = rtreg_pin(registry);
	pinner->slot = rtreg_pin_thread.index;
	return NULL;
}

static void pin_on_a_thread(struct pinner *pinner)
{
	ck_assert_int_eq(pthread_create(&pinner->thread, NULL, pin_on_thread, pinner), 0);
	ck_assert_int_eq(pthread_join(pinner->thread, NULL), 0);
}

static uint64_t pins_of_the_only_one(void)
{
	struct rtreg_pinned pinned;

	ck_assert_uint_eq(rtreg_pinned(registry, &pinned, 1), 1);
	return pinned.count;
}

static uint64_t freed(void)
{
	return statistics_counted(&statistics, COUNT_FREED);
}

static void wait_until_freed(uint64_t count)
{
	static const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < 5000 && freed() != count; i++)
		nanosleep(&pause, NULL);
	ck_assert_uint_eq(freed(), count);
}

/* Time enough for what must not happen. */
static void let_others_run(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
}

/* --- threads --- */

START_TEST(pin_of_one_thread_is_returned_by_another)
{
	struct pinner pinner;

	allow_all();
	pin_on_a_thread(&pinner);
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), 1);
	rtreg_unpin(pinner.pin);
	wait_until_freed(1);
}
END_TEST

/* Pinned here and returned there, again and again: the cells differ, the sum is right. */
START_TEST(pins_of_the_live_one_are_counted_across_threads)
{
	struct pinner pinners[10];

	allow_all();
	for (int i = 0; i < 10; i++)
		pin_on_a_thread(&pinners[i]);
	for (int i = 0; i < 9; i++)
		rtreg_unpin(pinners[i].pin);
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), 1);
	rtreg_unpin(pinners[9].pin);
	wait_until_freed(1);
}
END_TEST

START_TEST(pin_again_keeps_what_the_first_pin_no_longer_does)
{
	const struct rtreg_snapshot *pin = rtreg_pin(registry);

	allow_all();
	publish(2);
	wait_for(0, 0, 1);
	store_pin(pin);
	ck_assert_uint_eq(pins_of_the_only_one(), 2);
	rtreg_unpin(pin);
	publish(3); /* the reclaimer looks at what was unpinned before it frees this one */
	wait_until_freed(1);
	ck_assert_uint_eq(pin->head.generation, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), 1);
	rtreg_unpin(pin);
	wait_until_freed(2);
}
END_TEST

/* --- the library's functions, which other languages call --- */

static void *pin_by_call(void *argument)
{
	struct pinner *pinner = argument;

	pinner->pin = (rtreg_pin)(registry);
	pinner->slot = rtreg_pin_thread.index;
	return NULL;
}

START_TEST(pin_that_is_called_gets_a_slot_too)
{
	struct pinner pinner = {0};

	allow_all();
	ck_assert_int_eq(pthread_create(&pinner.thread, NULL, pin_by_call, &pinner), 0);
	ck_assert_int_eq(pthread_join(pinner.thread, NULL), 0);
	ck_assert_uint_ne(pinner.slot, 0);
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), 1);
	(rtreg_unpin)(pinner.pin);
	wait_until_freed(1);
}
END_TEST

START_TEST(pins_that_are_called_and_inlined_are_one_count)
{
	const struct rtreg_snapshot *inlined = rtreg_pin(registry), *called = (rtreg_pin)(registry);

	allow_all();
	ck_assert_ptr_eq(inlined, called);
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), 2);
	(rtreg_unpin)(inlined);
	publish(3); /* the reclaimer looks at what was unpinned before it frees this one */
	wait_until_freed(1);
	ck_assert_uint_eq(pins_of_the_only_one(), 1);
	rtreg_unpin(called);
	wait_until_freed(2);
}
END_TEST

START_TEST(unpin_of_nothing_is_allowed_in_both_forms)
{
	rtreg_unpin(NULL);
	(rtreg_unpin)(NULL);
}
END_TEST

/* --- slots --- */

static void *pin_and_stay(void *argument)
{
	struct pinner *pinner = argument;

	pin_on_thread(pinner);
	pthread_barrier_wait(&all_there);
	pthread_barrier_wait(&all_done);
	rtreg_unpin(pinner->pin);
	return NULL;
}

START_TEST(pins_of_more_threads_than_slots_are_all_counted)
{
	static struct pinner pinners[MANY];
	uint64_t slots_used = 0;
	int without = 0;

	allow_all();
	pthread_barrier_init(&all_there, NULL, MANY + 1);
	pthread_barrier_init(&all_done, NULL, MANY + 1);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(pthread_create(&pinners[i].thread, NULL, pin_and_stay, &pinners[i]), 0);
	pthread_barrier_wait(&all_there);
	for (int i = 0; i < MANY; i++) {
		without += pinners[i].slot == 0;
		slots_used |= UINT64_C(1) << pinners[i].slot;
	}
	ck_assert_int_eq(without, MANY - (RTREG_PIN_SLOTS - 1));
	ck_assert_uint_eq(slots_used, UINT64_MAX); /* each of them, and none */
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), MANY);
	pthread_barrier_wait(&all_done);
	for (int i = 0; i < MANY; i++)
		pthread_join(pinners[i].thread, NULL);
	wait_until_freed(1);
	pthread_barrier_destroy(&all_there);
	pthread_barrier_destroy(&all_done);
}
END_TEST

START_TEST(slot_of_a_thread_that_ended_is_taken_over_with_its_counts)
{
	static struct pinner pinners[CHURN];

	allow_all();
	for (int i = 0; i < CHURN; i++) {
		pin_on_a_thread(&pinners[i]);
		ck_assert_uint_eq(pinners[i].slot, pinners[0].slot);
	}
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), CHURN);
	for (int i = 0; i < CHURN; i++)
		rtreg_unpin(pinners[i].pin);
	wait_until_freed(1);
}
END_TEST

static pthread_key_t late;
static _Thread_local int rounds;

/* Of destructors. The thread sanitizer takes its leave of a thread in the last one. */
#ifdef RTREG_TSAN
#define ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - 2)
#else
#define ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#endif

/* In the last round too: what is claimed there nobody gives back. */
static void unpin_late(void *pin)
{
	rtreg_unpin(pin);
	if (++rounds < ROUNDS)
		pthread_setspecific(late, rtreg_pin(registry));
}

static void *pin_until_the_end(void *argument)
{
	struct pinner *pinner = argument;

	pin_on_thread(pinner);
	pthread_setspecific(late, pinner->pin);
	return NULL;
}

/* The key is younger than the slots', and its destructor runs after theirs. */
START_TEST(unpin_when_the_slot_was_given_back_loses_no_slot)
{
	struct pinner pinner = {0};

	allow_all();
	ck_assert_int_eq(pthread_key_create(&late, unpin_late), 0);
	for (int i = 0; i < CHURN; i++) {
		ck_assert_int_eq(pthread_create(&pinner.thread, NULL, pin_until_the_end, &pinner), 0);
		ck_assert_int_eq(pthread_join(pinner.thread, NULL), 0);
		ck_assert_uint_ne(pinner.slot, 0);
	}
	publish(2);
	wait_until_freed(1);
	pthread_key_delete(late);
}
END_TEST

/* --- sections --- */

/* Of a slot that the calling thread has, or gets. */
static uint64_t *own_section(enum rtreg_section kind)
{
	if (!rtreg_pin_thread.slot)
		ck_assert(slot_claim());
	return &rtreg_pin_thread.slot->seq[kind];
}

START_TEST(reclaimer_waits_for_a_section_that_may_be_pinning)
{
	uint64_t *section = own_section(RTREG_SECTION_PIN), seq = rtreg_section_begin(section);

	publish(2);
	wait_for(0, 1, 0);
	let_others_run();
	ck_assert_uint_eq(__atomic_load_n(&begun, __ATOMIC_RELAXED), 0);
	rtreg_section_end(section, seq);
	wait_until_begun(1);
}
END_TEST

static void *unpin_on_thread(void *pin)
{
	rtreg_unpin(pin);
	return NULL;
}

START_TEST(reclaimer_waits_for_a_section_that_may_be_unpinning)
{
	const struct rtreg_snapshot *pin = rtreg_pin(registry);
	uint64_t *section = own_section(RTREG_SECTION_UNPIN), seq;
	pthread_t thread;

	allow_all();
	publish(2);
	wait_for(0, 0, 1);
	seq = rtreg_section_begin(section);
	pthread_create(&thread, NULL, unpin_on_thread, (void *)pin);
	pthread_join(thread, NULL);
	wait_for(0, 0, 0); /* counted as unpinned, and yet */
	let_others_run();
	ck_assert_uint_eq(freed(), 0);
	rtreg_section_end(section, seq);
	wait_until_freed(1);
}
END_TEST

/* --- kernels --- */

/* From now on, in all threads, membarrier(`command`) fails. */
static void forbid_membarrier(int command)
{
	struct sock_filter filter[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 3),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)command, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program),
	                 0);
}

static const int needed[] = {MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, MEMBARRIER_CMD_PRIVATE_EXPEDITED};

/* In a process that has not opened a store yet. */
START_TEST(pins_work_on_a_kernel_without_membarrier)
{
	struct pinner pinner;

	forbid_membarrier(needed[_i]);
	setup();
	allow_all();
	pin_on_a_thread(&pinner);
	ck_assert_uint_eq(pinner.slot, 0);
	publish(2);
	wait_for(0, 0, 1);
	ck_assert_uint_eq(pins_of_the_only_one(), 1);
	rtreg_unpin(pinner.pin);
	wait_until_freed(1);
	teardown();
}
END_TEST

START_TEST(superseded_stay_until_closing_when_membarrier_is_forbidden_later)
{
	const struct rtreg_snapshot *pin = rtreg_pin(registry);

	allow_all();
	forbid_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	publish(2);
	publish(3);
	wait_for(0, 0, 2);
	rtreg_unpin(pin);
	let_others_run();
	wait_for(0, 0, 2);
	ck_assert_uint_eq(pin->head.generation, 1); /* not freed: nobody could tell */
	store_fini(&store);
	ck_assert_uint_eq(freed(), 3);
	ck_assert_int_eq(store_init(&store, &flavor, &statistics), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pins");
	TCase *tcase = tcase_create("pins"), *kernel = tcase_create("kernel");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, pin_of_one_thread_is_returned_by_another);
	tcase_add_test(tcase, pins_of_the_live_one_are_counted_across_threads);
	tcase_add_test(tcase, pin_again_keeps_what_the_first_pin_no_longer_does);
	tcase_add_test(tcase, pin_that_is_called_gets_a_slot_too);
	tcase_add_test(tcase, pins_that_are_called_and_inlined_are_one_count);
	tcase_add_test(tcase, unpin_of_nothing_is_allowed_in_both_forms);
	tcase_add_test(tcase, pins_of_more_threads_than_slots_are_all_counted);
	tcase_add_test(tcase, slot_of_a_thread_that_ended_is_taken_over_with_its_counts);
	tcase_add_test(tcase, unpin_when_the_slot_was_given_back_loses_no_slot);
	tcase_add_test(tcase, reclaimer_waits_for_a_section_that_may_be_pinning);
	tcase_add_test(tcase, reclaimer_waits_for_a_section_that_may_be_unpinning);
	tcase_add_test(tcase, superseded_stay_until_closing_when_membarrier_is_forbidden_later);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(kernel, 60);
	tcase_add_loop_test(kernel, pins_work_on_a_kernel_without_membarrier, 0,
	                    sizeof(needed) / sizeof(needed[0]));
	suite_add_tcase(suite, kernel);
	return unit_run(suite);
}
