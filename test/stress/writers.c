/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everybody writes at once: threads that reload different configurations, one that reloads what cannot work,
 * one that adds keys and steps, dry runs, and readers with borrows and pins. What is published must be one
 * configuration whole, with its wrapper scripts in place and its features known; generations never repeat or
 * go back; each published one is one whose reload said so.
 *
 * usage: writers [SECONDS]
 */
#include "flavor.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"

#define WRITERS   3
#define READERS   2
#define MAX_ADDED 40 /* each step is run by every later reload */

static struct sandbox sandbox;
static struct rtreg *registry;
static atomic_bool stop;
static atomic_ulong published, dry_runs, refused, looks, checks, added, prepared, ended, faults;

static void fault(const char *what, const char *detail)
{
	if (atomic_fetch_add(&faults, 1) < 10)
		fprintf(stderr, "%s: %s\n", what, detail);
}

/* --- the configurations: writer W's n-th --- */

static size_t configuration(char *text, size_t size, int writer, long number)
{
	return (size_t)snprintf(
	        text, size,
	        "{\"labels\":[\"writer=%d\",\"number=%ld\"],\"shutdown-timeout\":%ld,\"default-runtime\":"
	        "\"own\","
	        "\"runtimes\":{\"own\":{\"path\":\"%s/writer-%d\",\"runtimeArgs\":[\"--%d\",\"%ld\"]},"
	        "\"plain-%ld\":{\"path\":\"/opt/plain\"}}}",
	        writer, number, number, sandbox.directory, writer, writer, number % 5, number);
}

static long number_behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text && strncmp(text, prefix, length) == 0 ? strtol(text + length, NULL, 10) : -1;
}

static void look(const struct rtreg_snapshot *snapshot)
{
	long writer = number_behind(rtreg_snapshot_label(snapshot, 0), "writer=");
	long number = number_behind(rtreg_snapshot_label(snapshot, 1), "number=");
	struct rtreg_runtime own, plain;
	char name[64], features[64];

	atomic_fetch_add(&looks, 1);
	snprintf(name, sizeof(name), "plain-%ld", number);
	snprintf(features, sizeof(features), "{\"writer\":%ld}", writer);
	if (writer < 0 || rtreg_snapshot_shutdown_timeout(snapshot) != number ||
	    rtreg_resolve(snapshot, "", &own, NULL) < 0 || rtreg_resolve(snapshot, name, &plain, NULL) < 0)
		fault("mixed", name);
	else if (!own.features_json || strcmp(own.features_json, features) != 0)
		fault("features", own.features_json ? own.features_json : "none");
}

/* --- threads --- */

static int reload(int writer, long number, unsigned flags)
{
	char text[1024];
	struct rtreg_source source = {.bytes = text,
	                              .size = configuration(text, sizeof(text), writer, number)};
	struct rtreg_report *report = NULL;
	struct rtreg_error error = {0};
	int r = rtreg_reload(registry, &source, flags, &report, &error);

	if (r < 0)
		fault("reload", error.message);
	else if (!(flags & RTREG_RELOAD_DRY_RUN) &&
	         rtreg_report_generation(report) != rtreg_report_previous(report) + 1)
		fault("generation", rtreg_report_json(report));
	rtreg_report_free(report);
	rtreg_error_fini(&error);
	return r;
}

static void *write_all_the_time(void *argument)
{
	int writer = (int)(intptr_t)argument;

	rcu_register_thread();
	for (long number = 1; number == 1 || !atomic_load(&stop); number++)
		if (reload(writer, number, 0) == 0)
			atomic_fetch_add(&published, 1);
	rcu_unregister_thread();
	return NULL;
}

static void *run_dry_all_the_time(void *argument)
{
	(void)argument;
	for (long number = 1; !atomic_load(&stop); number++)
		if (reload((int)(number % WRITERS), number, RTREG_RELOAD_DRY_RUN) == 0)
			atomic_fetch_add(&dry_runs, 1);
	return NULL;
}

/* Bad files, and files that come too late; each other's binaries are asked all the same. */
static void *fail_all_the_time(void *argument)
{
	static const char bad[] = "{\"labels\":[\"x\"]}";
	char text[1024];
	struct rtreg_source source = {0}, late = {.bytes = text};

	(void)argument;
	source = (struct rtreg_source){.bytes = bad, .size = sizeof(bad) - 1};
	for (long number = 1; !atomic_load(&stop); number++) {
		late.size = configuration(text, sizeof(text), WRITERS, number);
		if (rtreg_reload(registry, &source, 0, NULL, NULL) != -EINVAL)
			fault("bad file", "taken");
		if (rtreg_reload_if(registry, &late, 0, UINT64_MAX, NULL, NULL) != -ESTALE)
			fault("late file", "taken");
		atomic_fetch_add(&refused, 2);
	}
	return NULL;
}

static int count_end(void *context, struct rtreg_error *error)
{
	(void)context;
	(void)error;
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int count_step(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)context;
	(void)error;
	atomic_fetch_add(&prepared, 1);
	rtreg_txn_on_commit(txn, count_end, NULL);
	rtreg_txn_on_rollback(txn, count_end, NULL);
	if (rtreg_reload(registry, NULL, 0, NULL, NULL) != -EDEADLK)
		fault("step", "may reload");
	look(rtreg_txn_new(txn));
	return 0;
}

static void *add_all_the_time(void *argument)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	char name[32];

	(void)argument;
	rcu_register_thread();
	for (unsigned long i = 0; i < MAX_ADDED && !atomic_load(&stop); i++) {
		snprintf(name, sizeof(name), "own-%lu", i);
		if (rtreg_add_key(registry, name, RTREG_TYPE_STRING) < 0 ||
		    rtreg_add_key(registry, name, RTREG_TYPE_STRING) != -EEXIST)
			fault("key", name);
		if (rtreg_add_step(registry, name, count_step, NULL) < 0)
			fault("step", name);
		atomic_fetch_add(&added, 1);
		nanosleep(&pause, NULL);
	}
	rcu_unregister_thread();
	return NULL;
}

/* The look-up of a runtime that was borrowed: in qsbr that ends the borrow while it goes on. */
static void check_own(const struct rtreg_snapshot *snapshot)
{
	struct rtreg_runtime runtime;

	if (rtreg_resolve(snapshot, "own", &runtime, NULL) < 0 || rtreg_runtime_check(&runtime, NULL) < 0)
		fault("check", "own");
	atomic_fetch_add(&checks, 1);
}

static void *read_all_the_time(void *argument)
{
	const struct rtreg_snapshot *pinned;
	struct rtreg_runtime runtime = {0};
	uint64_t last = 0;

	(void)argument;
	rcu_register_thread();
	do {
		pinned = rtreg_pin(registry);
		reader_begin();
		look(rtreg_borrow(registry));
		if (rtreg_snapshot_generation(rtreg_borrow(registry)) < last)
			fault("generation", "went back");
		last = rtreg_snapshot_generation(rtreg_borrow(registry));
		reader_end(registry);
		look(pinned);
		if (rtreg_resolve(pinned, "own", &runtime, NULL) == 0 && access(runtime.wrapper, X_OK) < 0)
			fault("script", runtime.wrapper);
#ifdef FLAVOR_QSBR
		check_own(rtreg_borrow(registry));
#else
		check_own(pinned);
#endif
		rtreg_unpin(pinned);
	} while (!atomic_load(&stop));
	rcu_unregister_thread();
	return NULL;
}

/* --- the whole --- */

static void make_binary(int writer)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/writer-%d", sandbox.directory, writer);
	file = fopen(path, "we");
	if (!file)
		abort();
	fprintf(file, "#!/bin/sh\necho '{\"writer\":%d}'\n", writer);
	fclose(file);
	chmod(path, 0700);
}

static bool open_registry(void)
{
	struct rtreg_error error = {0};
	char text[1024];

	sandbox_init(&sandbox);
	for (int i = 0; i <= WRITERS; i++)
		make_binary(i);
	configuration(text, sizeof(text), 0, 1000000); /* nobody else's */
	sandbox_write(&sandbox, "%s", text);
	if (rtreg_open(&sandbox.options, &registry, &error) == 0)
		return true;
	fprintf(stderr, "cannot open: %s\n", error.message);
	return false;
}

/* Every published generation is a reload that said so. */
static void check_generation(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);

	if (rtreg_snapshot_generation(snapshot) != 1 + atomic_load(&published))
		fault("generation", "numbers are missing, or too many");
	if (atomic_load(&prepared) != atomic_load(&ended))
		fault("steps", "not each was committed or rolled back");
	rtreg_unpin(snapshot);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3;
	pthread_t threads[WRITERS + READERS + 3];
	size_t count = 0;

	if (!open_registry())
		return 1;
	for (intptr_t i = 0; i < WRITERS; i++)
		pthread_create(&threads[count++], NULL, write_all_the_time, (void *)i);
	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[count++], NULL, read_all_the_time, NULL);
	pthread_create(&threads[count++], NULL, run_dry_all_the_time, NULL);
	pthread_create(&threads[count++], NULL, fail_all_the_time, NULL);
	pthread_create(&threads[count++], NULL, add_all_the_time, NULL);
	sleep(seconds);
	atomic_store(&stop, true);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	check_generation();
	printf(FLAVOR_NAME ": %lu published, %lu dry runs, %lu refused, %lu looks, %lu look-ups, %lu added\n",
	       atomic_load(&published), atomic_load(&dry_runs), atomic_load(&refused), atomic_load(&looks),
	       atomic_load(&checks), atomic_load(&added));
	rtreg_close(registry);
	sandbox_fini(&sandbox);
	return atomic_load(&faults) == 0 && atomic_load(&published) > 0 && atomic_load(&looks) > 0 ? 0 : 1;
}
