/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers come and go while the configuration is reloaded: threads that all lock the same containers in, one
 * round after the other; threads with containers of their own; threads that remove what others have read; one that
 * lists. Of each round exactly one call makes the lock-in and everybody gets the same; none changes while it is
 * there; its script is there; and those that were made are those that were removed.
 *
 * usage: lock_ins [SECONDS]
 */
#include "flavor.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

#define SAME    4
#define OWN     3
#define CONTEST 2

static struct sandbox sandbox;
static struct rtreg *registry;
static atomic_bool stop;
static atomic_ulong published, rounds, made, removed, contested, lists, faults;

static void fault(const char *what, const char *detail)
{
	if (atomic_fetch_add(&faults, 1) < 10)
		fprintf(stderr, "%s: %s\n", what, detail);
}

/* --- reloads: the default has other arguments each time --- */

static void *reload_all_the_time(void *argument)
{
	struct rtreg_error error = {0};
	char text[256];

	(void)argument;
	for (unsigned long number = 1; number == 1 || !atomic_load(&stop); number++) {
		struct rtreg_source source = {.bytes = text};

		source.size = (size_t)snprintf(text, sizeof(text),
		                               "{\"default-runtime\":\"own\",\"runtimes\":{\"own\":{\"path\":"
		                               "\"/bin/true\",\"runtimeArgs\":[\"--%lu\"]}}}",
		                               number % 50);
		if (rtreg_reload(registry, &source, 0, NULL, &error) < 0)
			fault("reload", error.message);
		atomic_fetch_add(&published, 1);
	}
	rtreg_error_fini(&error);
	return NULL;
}

static void check(const struct rtreg_lock_in *lock_in)
{
	if (!lock_in->wrapper || access(lock_in->wrapper, X_OK) < 0)
		fault("script", lock_in->json);
	if (lock_in->created)
		atomic_fetch_add(&made, 1);
}

/* --- the same for all, in rounds --- */

static pthread_barrier_t barrier;
static struct rtreg_lock_in of_round[SAME];
static bool last_round;

static void judge_round(void)
{
	int created = 0;

	for (int i = 0; i < SAME; i++) {
		created += of_round[i].created;
		if (!of_round[i].json || !of_round[0].json || strcmp(of_round[i].json, of_round[0].json) != 0)
			fault("round", "not everybody got the same");
	}
	if (created != 1)
		fault("round", "not one made it");
	for (int i = 0; i < SAME; i++)
		rtreg_lock_in_fini(&of_round[i]);
	if (rtreg_unlock(registry, NULL, "same", NULL) < 0)
		fault("round", "cannot be unlocked");
	atomic_fetch_add(&removed, 1);
	atomic_fetch_add(&rounds, 1);
	last_round = atomic_load(&stop);
}

static void *lock_the_same(void *argument)
{
	int number = (int)(intptr_t)argument;
	struct rtreg_error error = {0};

	rcu_register_thread();
	do {
		pthread_barrier_wait(&barrier);
		if (rtreg_lock_in(registry, NULL, "same", NULL, &of_round[number], &error) < 0)
			fault("same", error.message);
		else
			check(&of_round[number]);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			judge_round();
		pthread_barrier_wait(&barrier);
	} while (!last_round);
	rcu_unregister_thread();
	rtreg_error_fini(&error);
	return NULL;
}

/* --- one's own --- */

static void come_and_go(const char *root, const char *id)
{
	struct rtreg_lock_in lock_in = {0}, read = {0};
	struct rtreg_error error = {0};

	if (rtreg_lock_in(registry, root, id, NULL, &lock_in, &error) < 0) {
		fault("own", error.message);
	} else {
		check(&lock_in);
		if (rtreg_locked(registry, root, id, &read, &error) < 0 ||
		    strcmp(read.json, lock_in.json) != 0)
			fault("own", "another is there");
		if (rtreg_unlock_if(registry, root, id, lock_in.locked, &error) < 0)
			fault("own", error.message);
		atomic_fetch_add(&removed, 1);
	}
	rtreg_lock_in_fini(&lock_in);
	rtreg_lock_in_fini(&read);
	rtreg_error_fini(&error);
}

static void *lock_own_all_the_time(void *argument)
{
	char root[32], id[32];

	rcu_register_thread();
	snprintf(root, sizeof(root), "/run/%d", (int)(intptr_t)argument);
	for (unsigned long number = 0; !atomic_load(&stop); number++) {
		snprintf(id, sizeof(id), "own-%lu", number % 7);
		come_and_go(root, id);
	}
	rcu_unregister_thread();
	return NULL;
}

/* --- everybody locks it in and removes the one that he has got --- */

static void *contest_all_the_time(void *argument)
{
	(void)argument;
	while (!atomic_load(&stop)) {
		struct rtreg_lock_in lock_in = {0};
		struct rtreg_error error = {0};
		int r = rtreg_lock_in(registry, NULL, "contested", NULL, &lock_in, &error);

		if (r < 0) {
			fault("contested", error.message);
		} else {
			check(&lock_in);
			r = rtreg_unlock_if(registry, NULL, "contested", lock_in.locked, &error);
			if (r < 0 && r != -ESRCH && r != -ESTALE)
				fault("contested", error.message);
			if (r == 0)
				atomic_fetch_add(&removed, 1);
		}
		atomic_fetch_add(&contested, 1);
		rtreg_lock_in_fini(&lock_in);
		rtreg_error_fini(&error);
	}
	return NULL;
}

static void *list_all_the_time(void *argument)
{
	(void)argument;
	rcu_register_thread();
	while (!atomic_load(&stop)) {
		struct rtreg_lock_in *all;
		size_t count, number;

		if (rtreg_lock_ins(registry, NULL, &all, &count, NULL) < 0 ||
		    rtreg_lock_in_count(registry, &number) < 0)
			fault("list", "failed");
		else
			rtreg_lock_ins_free(all, count);
		atomic_fetch_add(&lists, 1);
	}
	rcu_unregister_thread();
	return NULL;
}

/* --- the whole --- */

static void note(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level == RTREG_LOG_WARN && strstr(message, "lock-in"))
		fault("log", message);
}

static bool open_registry(void)
{
	struct rtreg_error error = {0};

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{\"default-runtime\":\"own\",\"runtimes\":{\"own\":{\"path\":\"/bin/true\","
	                        "\"runtimeArgs\":[\"--0\"]}}}");
	sandbox.options.log = note;
	if (rtreg_open(&sandbox.options, &registry, &error) == 0)
		return true;
	fprintf(stderr, "cannot open: %s\n", error.message);
	return false;
}

static void check_counts(void)
{
	struct rtreg_statistics statistics;
	size_t count = 1;

	rtreg_statistics(registry, &statistics, sizeof(statistics));
	if (statistics.lock_ins_made != atomic_load(&made) ||
	    statistics.lock_ins_removed != atomic_load(&removed))
		fault("statistics", "do not say what was done");
	if (rtreg_lock_in_count(registry, &count) < 0 || count != atomic_load(&made) - atomic_load(&removed))
		fault("count", "some are missing, or too many");
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3;
	pthread_t threads[SAME + OWN + CONTEST + 2];
	size_t count = 0;

	if (!open_registry())
		return 1;
	pthread_barrier_init(&barrier, NULL, SAME);
	for (intptr_t i = 0; i < SAME; i++)
		pthread_create(&threads[count++], NULL, lock_the_same, (void *)i);
	for (intptr_t i = 0; i < OWN; i++)
		pthread_create(&threads[count++], NULL, lock_own_all_the_time, (void *)i);
	for (int i = 0; i < CONTEST; i++)
		pthread_create(&threads[count++], NULL, contest_all_the_time, NULL);
	pthread_create(&threads[count++], NULL, list_all_the_time, NULL);
	pthread_create(&threads[count++], NULL, reload_all_the_time, NULL);
	sleep(seconds);
	atomic_store(&stop, true);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	check_counts();
	printf(FLAVOR_NAME ": %lu published, %lu rounds, %lu made, %lu removed, %lu contested, %lu lists\n",
	       atomic_load(&published), atomic_load(&rounds), atomic_load(&made), atomic_load(&removed),
	       atomic_load(&contested), atomic_load(&lists));
	rtreg_close(registry);
	sandbox_fini(&sandbox);
	pthread_barrier_destroy(&barrier);
	return atomic_load(&faults) == 0 && atomic_load(&published) > 0 && atomic_load(&rounds) > 0 ? 0 : 1;
}
