/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers against a writer that reloads as fast as it can. Every value of a configuration carries the same
 * number; a reader that sees two numbers in one snapshot has seen two generations. Generations must never go
 * back for one reader, and a pinned snapshot must stay what it was.
 *
 * usage: stress [SECONDS]      exit 0 only if all readers made progress and none saw a mixture
 */
#include "flavor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox.h"

#define READERS 3
#define BATCH   64 /* borrows between two pins */

static struct rtreg *registry;
static atomic_bool stop;
static atomic_ulong mixed, backwards;

struct reader {
	pthread_t thread;
	unsigned long borrows, pins;
	uint64_t last;
};

static long number_behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text && strncmp(text, prefix, length) == 0 ? strtol(text + length, NULL, 10) : -1;
}

/*
 * Whether all of a snapshot is of one file; the number is in the label, the runtimes, their options and a
 * timeout.
 */
static bool is_whole(const struct rtreg_snapshot *snapshot)
{
	long number = number_behind(rtreg_snapshot_label(snapshot, 0), "number=");
	struct rtreg_runtime runtime = {0};
	char name[32];

	if (number < 0 || rtreg_snapshot_shutdown_timeout(snapshot) != number)
		return false;
	snprintf(name, sizeof(name), "runtime-%ld", number);
	if (rtreg_resolve(snapshot, name, &runtime, NULL) < 0 ||
	    number_behind(runtime.path, "/opt/") != number)
		return false;
	snprintf(name, sizeof(name), "runtime-%ld", number + 1);
	if (rtreg_resolve(snapshot, name, &runtime, NULL) == 0)
		return false;
	return rtreg_resolve(snapshot, "", &runtime, NULL) == 0 &&
	       number_behind(runtime.name, "runtime-") == number;
}

static void look(struct reader *reader, const struct rtreg_snapshot *snapshot)
{
	uint64_t generation = rtreg_snapshot_generation(snapshot);

	if (!is_whole(snapshot))
		atomic_fetch_add(&mixed, 1);
	if (generation < reader->last)
		atomic_fetch_add(&backwards, 1);
	reader->last = generation;
}

static void *read_all_the_time(void *argument)
{
	struct reader *reader = argument;
	const struct rtreg_snapshot *pinned;

	rcu_register_thread();
	do {
		pinned = rtreg_pin(registry);
		look(reader, pinned);
		for (int i = 0; i < BATCH; i++) {
			reader_begin();
			look(reader, rtreg_borrow(registry));
			reader_end(registry);
			reader->borrows++;
		}
		if (!is_whole(pinned))
			atomic_fetch_add(&mixed, 1);
		rtreg_unpin(pinned);
		reader->pins++;
	} while (!atomic_load(&stop));
	rcu_unregister_thread();
	return NULL;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t configuration(char *text, size_t size, long number)
{
	return (size_t)snprintf(
	        text, size,
	        "{\"labels\":[\"number=%ld\"],\"shutdown-timeout\":%ld,\"default-runtime\":\"runtime-%ld\","
	        "\"runtimes\":{\"runtime-%ld\":{\"path\":\"/opt/%ld\"},\"other\":{\"path\":\"/opt/other\"}}}",
	        number, number, number, number, number);
}

static bool reload(long number)
{
	struct rtreg_error error = {0};
	char text[512];
	struct rtreg_source source = {.bytes = text, .size = configuration(text, sizeof(text), number)};
	int r = rtreg_reload(registry, &source, 0, NULL, &error);

	if (r < 0)
		fprintf(stderr, "reload %ld: %s\n", number, error.message);
	rtreg_error_fini(&error);
	return r == 0;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3, end;
	struct reader readers[READERS] = {0};
	struct rtreg_error error = {0};
	bool progress = true;
	struct sandbox sandbox;
	long reloads = 1;
	char text[512];

	sandbox_init(&sandbox);
	configuration(text, sizeof(text), 1);
	sandbox_write(&sandbox, "%s", text);
	if (rtreg_open(&sandbox.options, &registry, &error) < 0) {
		fprintf(stderr, "cannot open: %s\n", error.message);
		return 1;
	}
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i].thread, NULL, read_all_the_time, &readers[i]);
	for (end = now() + seconds; now() < end && progress;)
		progress = reload(++reloads);
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		printf("reader %d: %lu borrows, %lu pins\n", i, readers[i].borrows, readers[i].pins);
		progress = progress && readers[i].borrows > 0 && readers[i].pins > 0;
	}
	printf(FLAVOR_NAME ": %ld reloads, %lu mixed, %lu backwards\n", reloads, atomic_load(&mixed),
	       atomic_load(&backwards));
	rtreg_close(registry);
	sandbox_fini(&sandbox);
	return progress && reloads > 1 && atomic_load(&mixed) == 0 && atomic_load(&backwards) == 0 ? 0 : 1;
}
