/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who joins those who map finds a snapshot, whatever a reload does meanwhile. */
#include "flavor.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox.h"
#include "shared/format.h"
#include "sharing.h"
#include "unit.h"

#define RELOADS 2000

static struct sandbox sandbox;
static struct sharing *sharing;
static struct rtreg *registry;
static void (*before)(void); /* what happens between the publication in process and the one for others */

static int call_before(void *context, struct rtreg_error *error)
{
	(void)context;
	(void)error;
	if (before)
		before();
	return 0;
}

static int prepare_before(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)error;
	rtreg_txn_on_commit(txn, call_before, context);
	return 0;
}

static void setup(void)
{
	struct rtreg_step steps[] = {{.name = "before", .prepare = prepare_before},
	                             {.name = "sharing", .prepare = sharing_prepare}};
	struct rtreg_error error = {0};

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "{}");
	ck_assert_int_eq(sharing_new(&sharing), 0);
	steps[1].context = sharing;
	sandbox.options.steps = steps;
	sandbox.options.step_count = ARRAY_SIZE(steps);
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

static void teardown(void)
{
	before = NULL;
	rtreg_close(registry);
	sharing_end(sharing);
	sharing_free(sharing);
	sandbox_fini(&sandbox);
}

/* What sharing answers when it is asked for the newest snapshot. */
static int ask(const int pair[2])
{
	struct shared_answer answer = {0};

	ck_assert_int_eq(sharing_answer(sharing, pair[0], SHARED_ASK_SNAPSHOT), 0);
	ck_assert_int_eq(read(pair[1], &answer, sizeof(answer)), sizeof(answer));
	ck_assert_uint_eq(answer.what, SHARED_ASK_SNAPSHOT);
	return answer.code;
}

/* Returns how often there was none. */
static void *join_and_leave(void *context)
{
	const atomic_bool *ended = context;
	uintptr_t missed = 0;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	while (!atomic_load(ended)) {
		ck_assert_int_eq(sharing_join(sharing, registry), 0);
		for (int i = 0; i < 4; i++)
			missed += ask(pair) != 0;
		sharing_leave(sharing);
	}
	close(pair[0]);
	close(pair[1]);
	return (void *)missed;
}

START_TEST(join_while_reloads_publish_finds_a_snapshot_until_leave)
{
	atomic_bool ended = false;
	pthread_t joiner;
	void *missed;

	ck_assert_int_eq(pthread_create(&joiner, NULL, join_and_leave, &ended), 0);
	for (int i = 0; i < RELOADS; i++)
		ck_assert_int_eq(rtreg_reload(registry, NULL, RTREG_RELOAD_FORCE, NULL, NULL), 0);
	atomic_store(&ended, true);
	pthread_join(joiner, &missed);
	ck_assert_uint_eq((uintptr_t)missed, 0);
}
END_TEST

static struct rlimit descriptors;

static void join_and_use_up_descriptors(void)
{
	struct rlimit none = {0, descriptors.rlim_max};

	ck_assert_int_eq(sharing_join(sharing, registry), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* By then the reload's own cannot be made. */
START_TEST(join_before_a_reload_has_told_others_keeps_what_it_made)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
	before = join_and_use_up_descriptors;
	ck_assert_int_eq(rtreg_reload(registry, NULL, RTREG_RELOAD_FORCE, NULL, NULL), 0);
	ck_assert_int_eq(ask(pair), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
	sharing_leave(sharing);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sharing");
	TCase *tcase = tcase_create("joining");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, join_while_reloads_publish_finds_a_snapshot_until_leave);
	tcase_add_test(tcase, join_before_a_reload_has_told_others_keeps_what_it_made);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
