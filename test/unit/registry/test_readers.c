/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers make no system call and allocate nothing, nor does who pins: a thread that reads runs in seccomp's strict mode, in
 * which the kernel kills it for any call but read, write and exit, and with every allocation counted. In one
 * liburcu flavour.
 */
#include "flavor.h"

#include <check.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define ROUNDS 10000

/* Every allocation of the process comes by here; those of the reading thread are counted. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
static _Thread_local unsigned long counted;
static unsigned long allocations;

void *malloc(size_t size)
{
	counted++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	counted++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	counted++;
	return __libc_realloc(old, size);
}

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_name prepared;
static unsigned long answers;

static bool read_once(const struct rtreg_snapshot *snapshot)
{
	struct rtreg_runtime runtime;
	bool ok;

	ok = rtreg_resolve(snapshot, "crun", &runtime, NULL) == 0 && strcmp(runtime.binary, "/opt/crun") == 0;
	ok = ok && rtreg_resolve(snapshot, "", &runtime, NULL) == 0 && strcmp(runtime.name, "crun") == 0;
	ok = ok && rtreg_resolve(snapshot, "my.shim", &runtime, NULL) == 0 && runtime.shim_length == 7;
	ok = ok && rtreg_resolve(snapshot, "unknown", &runtime, NULL) < 0;
	ok = ok && rtreg_resolve_name(snapshot, &prepared, &runtime, NULL) == 0 &&
	     strcmp(runtime.binary, "/opt/crun") == 0;
	ok = ok && rtreg_resolve_live(registry, "crun", &runtime, NULL) == 0 &&
	     strcmp(runtime.binary, "/opt/crun") == 0;
	ok = ok && rtreg_snapshot_debug(snapshot) && strcmp(rtreg_snapshot_label(snapshot, 0), "a=b") == 0;
	return ok && rtreg_snapshot_value(snapshot, "mtu").integer == 1400;
}

/*
 * What the thread has to say must be in memory: when it is confined it can no longer end by itself but with
 * exit(2).
 */
static void *read_confined(void *argument)
{
	const struct rtreg_snapshot *pinned;

	(void)argument;
	rcu_register_thread();
	reader_begin(); /* whatever is set up at first use is set up now */
	read_once(rtreg_borrow(registry));
	reader_end(registry);
	counted = 0;
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	for (int i = 0; i < ROUNDS; i++) {
		reader_begin();
		answers += read_once(rtreg_borrow(registry));
		reader_end(registry);
		pinned = rtreg_pin(registry); /* the first one too */
		answers += read_once(pinned);
		rtreg_unpin(pinned);
	}
	allocations = counted;
	syscall(SYS_exit, 0);
	return NULL;
}

/*
 * In a child: a thread that left by exit(2) alone can be joined, but its place among liburcu's readers is
 * lost.
 */
static void read_in_child(void)
{
	static const char config[] =
	        "{\"runtimes\":{\"crun\":{\"path\":\"/opt/crun\"}},\"default-runtime\":\"crun\","
	        "\"debug\":true,\"labels\":[\"a=b\"],\"mtu\":1400}";
	pthread_t thread;

	sandbox_write(&sandbox, "%s", config);
	if (rtreg_open(&sandbox.options, &registry, NULL) < 0)
		_exit(2);
	rtreg_name_init(&prepared, "crun");
	if (pthread_create(&thread, NULL, read_confined, NULL) != 0 || pthread_join(thread, NULL) != 0)
		_exit(3);
	_exit(answers != 2 * ROUNDS ? 4 : allocations != 0 ? 5 : 0);
}

START_TEST(readers_make_no_system_call_and_allocate_nothing)
{
	int status;
	pid_t child;

	sandbox_init(&sandbox);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		read_in_child();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	sandbox_fini(&sandbox);
	ck_assert_msg(!WIFSIGNALED(status), "killed by signal %d: a reader made a system call",
	              WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == 0,
	              "exit %d (4: a system call ended the reader, or wrong answers; 5: allocations)",
	              WEXITSTATUS(status));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("readers-" FLAVOR_NAME);
	TCase *tcase = tcase_create("readers");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, readers_make_no_system_call_and_allocate_nothing);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
