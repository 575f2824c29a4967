/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/churn.h"

#include <time.h>

#include "base/cleanup.h"
#include "bench/threads.h"

#define PERIOD_NS 1000000

int churn_init(struct churn *churn, struct bench *bench, const struct rcu_flavor_struct *flavor,
               struct rtreg_error *error)
{
	int r = world_init(&churn->world, bench->runtimes);

	churn->bench = bench;
	for (unsigned i = 0; i < ARRAY_SIZE(churn->configurations) && r == 0; i++)
		r = world_configuration(&churn->world, i + 2, &churn->configurations[i]);
	if (r == 0)
		r = world_open(&churn->world, flavor, error);
	if (r == 0)
		r = readers_init(&churn->readers, &churn->world, bench->runtimes, bench->readers);
	return r;
}

void churn_fini(struct churn *churn)
{
	readers_fini(&churn->readers);
	world_fini(&churn->world);
	for (unsigned i = 0; i < ARRAY_SIZE(churn->configurations); i++)
		text_fini(&churn->configurations[i]);
}

static int reload_once(struct churn *churn)
{
	const struct text *next = &churn->configurations[churn->reloads % 2];
	const struct rtreg_source source = {.bytes = next->data, .size = next->length};
	const int r = rtreg_reload(churn->world.registry, &source, 0, NULL, NULL);

	churn->reloads += r == 0;
	return r;
}

/* One that took longer than the period is followed by the next at once, and no more is made up for. */
static void *reload_all_the_time(void *argument)
{
	struct churn *churn = argument;
	int64_t next_ns = bench_now_ns();

	while (!atomic_load(&churn->stop) && churn->error == 0) {
		const int64_t now_ns = bench_now_ns();
		struct timespec until;

		churn->error = reload_once(churn);
		next_ns = (next_ns > now_ns - PERIOD_NS ? next_ns : now_ns) + PERIOD_NS;
		until = (struct timespec){.tv_sec = next_ns / 1000000000, .tv_nsec = next_ns % 1000000000};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	return NULL;
}

static void *pinned_writer(void *argument)
{
	struct churn *churn = argument;

	thread_pin_to(churn->bench, churn->bench->processors - 1);
	return reload_all_the_time(churn);
}

int churn_begin(struct churn *churn, unsigned readers)
{
	/* with a reader on every processor the scheduler finds the place */
	void *(*run)(void *) = readers < churn->bench->processors ? pinned_writer : reload_all_the_time;

	atomic_store(&churn->stop, false);
	churn->error = 0;
	return -pthread_create(&churn->writer, NULL, run, churn);
}

int churn_end(struct churn *churn)
{
	atomic_store(&churn->stop, true);
	pthread_join(churn->writer, NULL);
	return churn->error;
}
