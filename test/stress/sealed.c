/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A published snapshot is never written: each one's pages are made read-only as soon as it is published, and
 * unmapped when it is freed, while readers use everything that there is to be read, and reloads, dry runs and
 * failing reloads come one after the other. Whoever writes, or looks at a snapshot that has gone, dies.
 *
 * usage: sealed [SECONDS]
 */
#include "flavor.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guarded_arena.h"
#include "sandbox.h"
#include "snapshot/snapshot.h"

#define READERS 3

static struct rtreg *registry;
static atomic_bool stop;
static atomic_ulong looks;

static int protect(void *arena, struct rtreg_error *error)
{
	(void)error;
	arena_protect(arena);
	return 0;
}

static int protect_published(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)context;
	(void)error;
	rtreg_txn_on_commit(txn, protect, rtreg_txn_new(txn)->arena);
	return 0;
}

static int fail_sometimes(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)context;
	(void)error;
	return rtreg_snapshot_generation(rtreg_txn_new(txn)) > 1 &&
	                       strcmp(rtreg_snapshot_label(rtreg_txn_new(txn), 0), "fail=1") == 0
	               ? -EUNATCH
	               : 0;
}

static void use_values(const struct rtreg_snapshot *snapshot)
{
	static const char *const keys[] = {"runtimes",         "labels",   "own",
	                                   "default-shm-size", "log-opts", "none"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct rtreg_value value = rtreg_snapshot_value(snapshot, keys[i]);

		free(rtreg_value_json(&value));
		rtreg_value_string(&value, 0);
	}
}

static void use_runtimes(const struct rtreg_snapshot *snapshot)
{
	static const char *const names[] = {"", "a", "typed", "io.other.v1", "no such"};
	struct rtreg_runtime runtime;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		rtreg_resolve(snapshot, names[i], &runtime, NULL);
	for (size_t i = 0; rtreg_snapshot_runtime(snapshot, i, &runtime, NULL) == 0; i++)
		if (strlen(runtime.name) != runtime.name_length)
			abort();
}

static void use(const struct rtreg_snapshot *snapshot)
{
	use_values(snapshot);
	use_runtimes(snapshot);
	free(rtreg_snapshot_json(snapshot));
	free(rtreg_snapshot_runtimes_json(snapshot));
	rtreg_snapshot_debug(snapshot);
	rtreg_snapshot_feature(snapshot, "f");
	rtreg_snapshot_mirror(snapshot, 0);
	rtreg_snapshot_insecure_cidr(snapshot, 0);
	atomic_fetch_add(&looks, 1);
}

static void *read_all_the_time(void *argument)
{
	const struct rtreg_snapshot *pinned;

	(void)argument;
	rcu_register_thread();
	do {
		reader_begin();
		use(rtreg_borrow(registry));
		reader_end(registry);
		pinned = rtreg_pin(registry);
#ifdef FLAVOR_QSBR
		rcu_quiescent_state();
#endif
		use(pinned);
		rtreg_unpin(pinned);
	} while (!atomic_load(&stop));
	rcu_unregister_thread();
	return NULL;
}

static int reload(long number, unsigned flags, bool fails)
{
	char text[512];
	struct rtreg_source source = {.bytes = text};

	source.size = (size_t)snprintf(
	        text, sizeof(text),
	        "{\"labels\":[\"%s=1\",\"n=%ld\"],\"own\":[\"%ld\"],\"log-opts\":{\"token\":\"x\"},"
	        "\"features\":{\"f\":true},\"registry-mirrors\":[\"https://m\"],\"default-runtime\":\"a\","
	        "\"runtimes\":{\"a\":{\"path\":\"/opt/%ld\",\"runtimeArgs\":[\"--%ld\"]},"
	        "\"typed\":{\"runtimeType\":\"io.t.v1\",\"options\":{\"n\":1}}}}",
	        fails ? "fail" : "good", number, number, number % 7, number % 7);
	return rtreg_reload(registry, &source, flags, NULL, NULL);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const struct rtreg_step steps[] = {{.name = "protect", .prepare = protect_published},
	                                          {.name = "fail", .prepare = fail_sometimes}};
	static const struct rtreg_key keys[] = {{.name = "own", .type = RTREG_TYPE_STRINGS}};
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2, end;
	struct rtreg_error error = {0};
	pthread_t readers[READERS];
	struct sandbox sandbox;
	bool good = true;
	long number = 0;

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{\"labels\":[\"good=1\"]}");
	sandbox.options.steps = steps;
	sandbox.options.step_count = 2;
	sandbox.options.keys = keys;
	sandbox.options.key_count = 1;
	if (rtreg_open(&sandbox.options, &registry, &error) < 0) {
		fprintf(stderr, "cannot open: %s\n", error.message);
		return 1;
	}
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_all_the_time, NULL);
	/* Two rounds, however slow the disk is. */
	for (end = now() + seconds; good && (now() < end || number < 2);) {
		good = reload(++number, 0, false) == 0 && reload(number, 0, false) == 0 &&
		       reload(number, 0, true) == -EUNATCH &&
		       reload(number, RTREG_RELOAD_DRY_RUN, true) == 0 &&
		       reload(number, RTREG_RELOAD_FORCE, false) == 0;
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	printf(FLAVOR_NAME ": %ld rounds of reloads, %lu looks\n", number, atomic_load(&looks));
	rtreg_close(registry);
	sandbox_fini(&sandbox);
	return good && number > 1 && atomic_load(&looks) > 0 ? 0 : 1;
}
