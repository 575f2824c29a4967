/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/cleanup.h"
#include "bench/figures.h"

#define BATCHES     4096 /* of a thread in a slice, that are kept */
#define BATCH_SIZE  1024
#define LOST_FACTOR 20 /* times the median: such a batch was interrupted */
#define WARM_UP     2  /* batches before the time begins */

struct team {
	struct bench *bench;
	const struct work *work;
	unsigned threads;
	atomic_uint ready;
	atomic_bool failed; /* not all could be started */
};

struct member {
	struct team *team;
	unsigned index;
	pthread_t thread;
	double *batches; /* how long each took, in nanoseconds for one operation */
	double ns;       /* of one operation */
	int error;
	uintptr_t kept;
};

int64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_find_processors(struct bench *bench)
{
	cpu_set_t set;

	bench->processors = 0;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (int i = 0; i < CPU_SETSIZE && bench->processors < BENCH_PROCESSORS_MAX; i++)
			if (CPU_ISSET(i, &set))
				bench->processor[bench->processors++] = i;
	if (bench->processors == 0)
		bench->processor[bench->processors++] = 0;
}

void thread_pin_to(const struct bench *bench, unsigned place)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(bench->processor[place % bench->processors], &set);
	/* where that is not allowed, the figures tell */
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* Everybody waits for everybody; those that share a processor must let each other run. */
static bool begin_together(struct team *team)
{
	atomic_fetch_add(&team->ready, 1);
	while (atomic_load(&team->ready) < team->threads && !atomic_load(&team->failed))
		if (team->threads > team->bench->processors)
			sched_yield();
	return !atomic_load(&team->failed);
}

static size_t batch_size(const struct work *work)
{
	return work->batch_size ? work->batch_size : BATCH_SIZE;
}

/* Without the batches in which the thread was not on its processor: those are some thousand times as long. */
static double mean_of(const double *batches, size_t count, double median)
{
	double sum = 0;
	size_t taken = 0;

	for (size_t i = 0; i < count; i++)
		if (batches[i] < LOST_FACTOR * median) {
			sum += batches[i];
			taken++;
		}
	return sum / (double)taken;
}

static void work_and_time(struct member *member)
{
	const struct work *work = member->team->work;
	const size_t size = batch_size(work);
	const int64_t asked_ns = member->team->bench->slice_ns, began_ns = bench_now_ns();
	const int64_t slice_ns = asked_ns > work->slice_min_ns ? asked_ns : work->slice_min_ns;
	const size_t batches = member->team->bench->batches;
	int64_t before_ns, now_ns = began_ns;
	size_t count = 0;
	struct summary summary;

	do {
		before_ns = now_ns;
		member->kept += work->batch(work->context, member->index, size);
		now_ns = bench_now_ns();
		if (count < BATCHES)
			member->batches[count++] = (double)(now_ns - before_ns) / (double)size;
	} while (batches ? count < batches : now_ns - began_ns < slice_ns);
	member->error = summarize(member->batches, count, &summary);
	member->ns = work->wants_mean ? mean_of(member->batches, count, summary.median) : summary.median;
}

static void *run_member(void *argument)
{
	struct member *member = argument;
	struct team *team = member->team;
	const struct work *work = team->work;

	thread_pin_to(team->bench, member->index);
	if (work->enter)
		work->enter(work->context);
	for (int i = 0; i < WARM_UP; i++)
		member->kept += work->batch(work->context, member->index, batch_size(work));
	if (begin_together(team))
		work_and_time(member);
	if (work->leave)
		work->leave(work->context);
	return NULL;
}

static int run_team(struct team *team, struct member *members, double *batches)
{
	unsigned started = 0;
	int r = 0;

	atomic_store(&team->ready, 0);
	while (started < team->threads && r == 0) {
		members[started] = (struct member){
		        .team = team, .index = started, .batches = batches + started * BATCHES};
		r = -pthread_create(&members[started].thread, NULL, run_member, &members[started]);
		if (r == 0)
			started++;
	}
	if (r < 0)
		atomic_store(&team->failed, true);
	for (unsigned i = 0; i < started; i++)
		pthread_join(members[i].thread, NULL);
	return r;
}

int measure_threads(struct bench *bench, const struct work *work, unsigned threads, double *ret)
{
	struct team team = {.bench = bench, .work = work, .threads = threads ? threads : 1};
	_cleanup_free_ struct member *members = calloc(team.threads, sizeof(*members));
	_cleanup_free_ double *batches = calloc((size_t)team.threads * BATCHES, sizeof(*batches));
	double sum = 0;
	int r = members && batches ? run_team(&team, members, batches) : -ENOMEM;

	if (r < 0)
		return r;
	for (unsigned i = 0; i < team.threads; i++) {
		if (members[i].error < 0)
			return members[i].error;
		sum += members[i].ns;
	}
	*ret = sum / team.threads;
	return 0;
}
