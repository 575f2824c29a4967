/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kept replies: which are found, and when they are freed. */
#include <check.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "kept.h"
#include "reloads.h"
#include "unit.h"

#define NOW 1000

static struct kept kept;
static uint64_t live;
static int freed;

uint64_t live_generation(struct rtreg *registry)
{
	(void)registry;
	return live;
}

static void setup(void)
{
	kept = (struct kept){0};
	live = 1;
	freed = 0;
}

static void teardown(void)
{
	kept_drop(&kept);
}

static ssize_t read_nothing(void *context, uint64_t position, char *buffer, size_t size)
{
	(void)context, (void)position, (void)buffer, (void)size;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static void count_freed(void *context)
{
	(void)context;
	freed++;
}

static struct kept_key key_of(const char *target)
{
	size_t size = strlen(target);

	return (struct kept_key){.bytes = target, .size = size, .hash = kept_hash(target, size)};
}

static struct kept_answer answer_of(uint64_t generation)
{
	return (struct kept_answer){
	        .response = MHD_create_response_from_callback(1, 1, read_nothing, NULL, count_freed),
	        .generation = generation,
	        .until_ns = KEEP_FOREVER,
	};
}

static bool add(const char *target, uint64_t generation)
{
	struct kept_key key = key_of(target);
	struct kept_answer answer = answer_of(generation);

	return kept_add(&kept, &key, &answer);
}

static bool is_found(const char *target)
{
	struct kept_key key = key_of(target);
	struct kept_reply *reply = kept_find(&kept, &key, NOW);

	kept_release(reply);
	return reply != NULL;
}

START_TEST(find_returns_what_was_added_for_the_same_target_alone)
{
	ck_assert(!is_found("/a"));
	ck_assert(add("/a", 1));
	ck_assert(is_found("/a"));
	ck_assert(!is_found("/b"));
	ck_assert(!is_found("/"));
	ck_assert(!is_found("/a?"));
}
END_TEST

START_TEST(many_targets_are_kept_apart)
{
	char target[32];

	for (unsigned i = 0; i < 4 * KEPT_SLOTS; i++) {
		snprintf(target, sizeof(target), "/v1/resolve?runtime=%u", i);
		ck_assert(add(target, 1));
	}
	for (unsigned i = 0; i < 4 * KEPT_SLOTS; i++) {
		snprintf(target, sizeof(target), "/v1/resolve?runtime=%u", i);
		ck_assert(is_found(target));
	}
	ck_assert_int_eq(freed, 0);
}
END_TEST

START_TEST(find_in_another_generation_finds_nothing)
{
	ck_assert(add("/a", 1));
	live = 2;
	ck_assert(!is_found("/a"));
}
END_TEST

START_TEST(add_of_a_newer_generation_frees_the_older_ones)
{
	ck_assert(add("/a", 1));
	ck_assert(add("/b", 1));
	live = 2;
	ck_assert(add("/b", 2));
	ck_assert_int_eq(freed, 2);
	ck_assert(is_found("/b"));
	ck_assert(!is_found("/a"));
}
END_TEST

START_TEST(add_of_an_older_generation_keeps_the_newer_ones)
{
	live = 2;
	ck_assert(add("/a", 2));
	ck_assert(!add("/b", 1));
	ck_assert_int_eq(freed, 1);
	ck_assert(is_found("/a"));
}
END_TEST

START_TEST(add_for_the_same_target_frees_the_one_before)
{
	ck_assert(add("/a", 1));
	ck_assert(add("/a", 1));
	ck_assert_int_eq(freed, 1);
	ck_assert(is_found("/a"));
}
END_TEST

START_TEST(find_after_its_time_finds_nothing)
{
	struct kept_key key = key_of("/a");
	struct kept_answer answer = answer_of(1);
	struct kept_reply *reply;

	answer.until_ns = NOW;
	ck_assert(kept_add(&kept, &key, &answer));
	ck_assert(!is_found("/a"));
	reply = kept_find(&kept, &key, NOW - 1);
	ck_assert_ptr_nonnull(reply);
	kept_release(reply);
}
END_TEST

START_TEST(one_that_is_used_is_freed_when_it_is_released)
{
	struct kept_key key = key_of("/a");
	struct kept_reply *reply;

	ck_assert(add("/a", 1));
	reply = kept_find(&kept, &key, NOW);
	ck_assert_ptr_nonnull(reply);
	kept_drop(&kept);
	ck_assert_int_eq(freed, 0);
	kept_release(reply);
	ck_assert_int_eq(freed, 1);
}
END_TEST

START_TEST(refresh_frees_all_where_there_is_another_generation_and_none_else)
{
	ck_assert(add("/a", 1));
	kept_refresh(&kept);
	ck_assert_int_eq(freed, 0);
	live = 2;
	kept_refresh(&kept);
	ck_assert_int_eq(freed, 1);
	ck_assert_uint_eq(kept.size_bytes, 0);
}
END_TEST

START_TEST(what_is_kept_does_not_grow_without_end)
{
	char target[32];
	int count = 100;

	for (int i = 0; i < count; i++) {
		struct kept_key key;
		struct kept_answer answer = answer_of(1);

		answer.body_size = (size_t)1 << 20;
		snprintf(target, sizeof(target), "/%d", i);
		key = key_of(target);
		ck_assert(kept_add(&kept, &key, &answer));
		ck_assert_uint_le(kept.size_bytes, (size_t)16 << 20);
	}
	ck_assert_int_gt(freed, count - 17);
}
END_TEST

START_TEST(one_that_is_very_large_is_not_kept)
{
	struct kept_key key = key_of("/a");
	struct kept_answer answer = answer_of(1);

	answer.body_size = (size_t)16 << 20;
	ck_assert(!kept_add(&kept, &key, &answer));
	ck_assert_int_eq(freed, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept");
	TCase *tests = tcase_create("kept");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, find_returns_what_was_added_for_the_same_target_alone);
	tcase_add_test(tests, many_targets_are_kept_apart);
	tcase_add_test(tests, find_in_another_generation_finds_nothing);
	tcase_add_test(tests, add_of_a_newer_generation_frees_the_older_ones);
	tcase_add_test(tests, add_of_an_older_generation_keeps_the_newer_ones);
	tcase_add_test(tests, add_for_the_same_target_frees_the_one_before);
	tcase_add_test(tests, find_after_its_time_finds_nothing);
	tcase_add_test(tests, one_that_is_used_is_freed_when_it_is_released);
	tcase_add_test(tests, refresh_frees_all_where_there_is_another_generation_and_none_else);
	tcase_add_test(tests, what_is_kept_does_not_grow_without_end);
	tcase_add_test(tests, one_that_is_very_large_is_not_kept);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
