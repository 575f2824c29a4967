/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crew.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "unit.h"

#define MANY 200

/* A task that tells that it has begun, and goes on when it is let. */
struct step {
	struct task task;
	sem_t *begun, *go; /* NULL: neither */
	atomic_int ran, cancelled;
	int place; /* in the order of those that ran */
};

static struct crew *crew;
static sem_t begun, go;
static atomic_int places;

static void setup(void)
{
	sem_init(&begun, 0, 0);
	sem_init(&go, 0, 0);
	places = 0;
}

static void teardown(void)
{
	crew_free(take(crew));
	sem_destroy(&begun);
	sem_destroy(&go);
}

static void begin(unsigned threads)
{
	ck_assert_int_eq(crew_new("test", threads, &crew), 0);
}

static void run(void *context, bool cancelled)
{
	struct step *step = context;

	if (step->begun && !cancelled) {
		sem_post(step->begun);
		sem_wait(step->go);
	}
	step->place = atomic_fetch_add(&places, 1);
	atomic_store(&step->cancelled, cancelled);
	atomic_fetch_add(&step->ran, 1);
}

static void hand_over(struct step *step, bool waits)
{
	step->task = (struct task){.run = run, .context = step};
	step->begun = waits ? &begun : NULL;
	step->go = &go;
	crew_do(crew, &step->task);
}

START_TEST(as_many_run_at_once_as_there_are_threads)
{
	struct step steps[3] = {0};

	begin(3);
	for (int i = 0; i < 3; i++)
		hand_over(&steps[i], true);
	for (int i = 0; i < 3; i++)
		sem_wait(&begun); /* all three have begun, and none has ended */
	ck_assert_int_eq(atomic_load(&places), 0);
	for (int i = 0; i < 3; i++)
		sem_post(&go);
	crew_stop(crew);
	ck_assert_int_eq(atomic_load(&places), 3);
}
END_TEST

START_TEST(tasks_are_begun_in_their_order_and_each_once)
{
	struct step steps[MANY] = {0}, last = {0};

	begin(1);
	for (int i = 0; i < MANY; i++)
		hand_over(&steps[i], false);
	hand_over(&last, true);
	sem_wait(&begun);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(steps[i].place, i);
		ck_assert_int_eq(steps[i].ran, 1);
		ck_assert_int_eq(steps[i].cancelled, 0);
	}
	sem_post(&go);
	crew_stop(crew); /* it still uses `last` */
}
END_TEST

static void *stop(void *unused)
{
	crew_stop(crew);
	return unused;
}

START_TEST(stop_waits_for_the_one_under_way_and_cancels_the_others)
{
	static struct step late[20000]; /* each is tried a millisecond after the one before */
	struct step under_way = {0}, waiting = {0};
	pthread_t stopper;
	size_t count = 0;

	begin(1);
	hand_over(&under_way, true);
	sem_wait(&begun);
	hand_over(&waiting, true);
	pthread_create(&stopper, NULL, stop, NULL);
	/* The crew has stopped when one that comes later is cancelled at once, by this thread. */
	do {
		ck_assert_uint_lt(count, ARRAY_SIZE(late));
		usleep(1000);
		hand_over(&late[count], false);
	} while (!atomic_load(&late[count++].cancelled));
	ck_assert_int_eq(under_way.ran, 0);
	ck_assert_int_eq(waiting.ran, 0);
	sem_post(&go);
	pthread_join(stopper, NULL);
	ck_assert_int_eq(under_way.ran, 1);
	ck_assert_int_eq(under_way.cancelled, 0);
	ck_assert_int_eq(waiting.ran, 1);
	ck_assert_int_eq(waiting.cancelled, 1);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(late[i].cancelled, 1);
}
END_TEST

START_TEST(stopping_twice_and_freeing_nothing_is_allowed)
{
	begin(2);
	crew_stop(crew);
	crew_stop(crew);
	crew_stop(NULL);
	crew_free(NULL);
}
END_TEST

/* Hands itself over again until it has run often enough. */
static void run_again(void *context, bool cancelled)
{
	struct step *step = context;

	if (!cancelled && atomic_fetch_add(&step->ran, 1) + 1 < MANY)
		crew_do(crew, &step->task);
	else
		sem_post(&begun);
}

START_TEST(a_task_may_be_handed_over_again_by_itself)
{
	struct step step = {.task = {.run = run_again, .context = &step}};

	begin(2);
	crew_do(crew, &step.task);
	sem_wait(&begun);
	ck_assert_int_eq(step.ran, MANY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crew");
	TCase *tests = tcase_create("crew");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, as_many_run_at_once_as_there_are_threads);
	tcase_add_test(tests, tasks_are_begun_in_their_order_and_each_once);
	tcase_add_test(tests, stop_waits_for_the_one_under_way_and_cancels_the_others);
	tcase_add_test(tests, stopping_twice_and_freeing_nothing_is_allowed);
	tcase_add_test(tests, a_task_may_be_handed_over_again_by_itself);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
