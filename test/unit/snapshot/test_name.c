/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a look-up takes of a name: its words and its hash; and prepared names. */
#include <stdio.h>

#include "base/problems.h"
#include "names.h"
#include "unit.h"

#define LONGEST 255 /* CONTRACT C12 */

/* The same letters each time, of a sort that names are made of. */
static void fill(char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		name[i] = (char)('a' + (i * 7 + length) % 26);
	name[length] = '\0';
}

static bool words_differ(const char *a, size_t a_length, const char *b, size_t b_length)
{
	const struct rtreg_words one = rtreg_words(a, a_length), other = rtreg_words(b, b_length);

	return !rtreg_words_equal(&one, &other);
}

/* --- words and hash --- */

START_TEST(words_of_names_up_to_24_bytes_differ_with_each_byte)
{
	char name[LONGEST + 1], other[LONGEST + 1];

	for (size_t length = 1; length <= RTREG_WORDS_MAX; length++)
		for (size_t at = 0; at < length; at++) {
			fill(name, length);
			fill(other, length);
			other[at] ^= 1;
			ck_assert_msg(words_differ(name, length, other, length), "byte %zu of %zu", at,
			              length);
		}
}
END_TEST

START_TEST(hash_differs_with_each_byte)
{
	char name[LONGEST + 1], other[LONGEST + 1];

	for (size_t length = 1; length <= LONGEST; length++)
		for (size_t at = 0; at < length; at++) {
			fill(name, length);
			fill(other, length);
			other[at] ^= 1;
			ck_assert_msg(rtreg_hash(name, length) != rtreg_hash(other, length),
			              "byte %zu of %zu", at, length);
		}
}
END_TEST

START_TEST(hash_differs_with_the_length_of_equal_bytes)
{
	static const char zeros[LONGEST + 1];

	for (size_t length = 1; length <= LONGEST; length++)
		for (size_t shorter = 0; shorter < length; shorter++)
			ck_assert_uint_ne(rtreg_hash(zeros, length), rtreg_hash(zeros, shorter));
}
END_TEST

START_TEST(hash_reads_the_name_and_nothing_around_it)
{
	char *page = lonely_page(), name[LONGEST + 1];

	for (size_t length = 0; length <= LONGEST; length++) {
		fill(name, length);
		memcpy(page, name, length);
		ck_assert_uint_eq(rtreg_hash(page, length), rtreg_hash(name, length));
		memcpy(page + PAGE - length, name, length);
		ck_assert_uint_eq(rtreg_hash(page + PAGE - length, length), rtreg_hash(name, length));
	}
}
END_TEST

/* Each bit of the hash, over names that are much alike, is set about half of the time. */
START_TEST(hash_of_numbered_names_uses_all_bits)
{
	enum { COUNT = 10000 };
	unsigned set[64] = {0};
	char name[16];

	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t hash = rtreg_hash(name, (size_t)snprintf(name, sizeof(name), "runc-%u", i));

		for (unsigned bit = 0; bit < 64; bit++)
			set[bit] += hash >> bit & 1;
	}
	for (unsigned bit = 0; bit < 64; bit++)
		ck_assert_msg(set[bit] > COUNT * 4 / 10 && set[bit] < COUNT * 6 / 10, "bit %u: %u of %u", bit,
		              set[bit], COUNT);
}
END_TEST

START_TEST(mix_is_the_same_with_and_without_a_product_of_128_bits)
{
	static const uint64_t edges[] = {0, 1, UINT32_MAX, UINT64_MAX, 1ull << 32, 1ull << 63};
	uint64_t a = 1, b = 2;

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		for (size_t j = 0; j < ARRAY_SIZE(edges); j++)
			ck_assert_uint_eq(rtreg_mix(edges[i], edges[j]),
			                  rtreg_mix_by_halves(edges[i], edges[j]));
	for (int i = 0; i < 10000; i++) {
		a = a * 6364136223846793005u + 1442695040888963407u;
		b = b * 3935559000370003845u + 2691343689449507681u;
		ck_assert_uint_eq(rtreg_mix(a, b), rtreg_mix_by_halves(a, b));
	}
}
END_TEST

/* --- prepared names --- */

static void assert_same_string(const char *a, const char *b)
{
	ck_assert_int_eq(a == NULL, b == NULL);
	if (a)
		ck_assert_str_eq(a, b);
}

/* Both answers to `name`, in code, runtime and error. */
static void assert_same_answer(const struct rtreg_snapshot *snapshot, const char *name, int expected)
{
	struct rtreg_runtime by_name = {0}, prepared = {0};
	struct rtreg_error one = {0}, other = {0};
	struct rtreg_name once;

	rtreg_name_init(&once, name);
	ck_assert_int_eq(rtreg_resolve(snapshot, name, &by_name, &one), expected);
	ck_assert_int_eq(rtreg_resolve_name(snapshot, &once, &prepared, &other), expected);
	assert_same_string(by_name.name, prepared.name);
	assert_same_string(by_name.shim, prepared.shim);
	ck_assert_mem_eq(&by_name, &prepared, sizeof(prepared));
	ck_assert_int_eq(one.code, other.code);
	ck_assert_str_eq(one.where, other.where);
	ck_assert_str_eq(one.message, other.message);
}

static const char configured[][64] = {
        "runc",
        "r",
        "kv",
        "gvi",
        "sysbox7",
        "sysbox-8",
        "kata-runtime-01",
        "kata-runtime-016",
        "kata-runtime-0017",
        "kata-runtime-eu-west-024",
        "kata-runtime-eu-west-0025",
        "kata-runtime-eu-west-1-A-in-the-middle-0040",
        "kata-runtime-eu-west-1-B-in-the-middle-0040",
        "with.dot",
};

START_TEST(resolve_finds_names_of_every_length)
{
	struct rtreg_snapshot *snapshot =
	        snapshot_of(configured[0], sizeof(configured[0]), ARRAY_SIZE(configured));

	for (size_t i = 0; i < ARRAY_SIZE(configured); i++) {
		struct rtreg_runtime runtime;

		ck_assert_int_eq(rtreg_resolve(snapshot, configured[i], &runtime, NULL), 0);
		ck_assert_ptr_eq(runtime.name, configured[i]);
	}
	snapshot_free(snapshot);
}
END_TEST

/* Not found by a name that has the words of one that is there. */
START_TEST(resolve_tells_long_names_apart_that_differ_in_the_middle)
{
	static const char other[] = "kata-runtime-eu-west-1-C-in-the-middle-0040";
	struct rtreg_snapshot *snapshot =
	        snapshot_of(configured[0], sizeof(configured[0]), ARRAY_SIZE(configured));
	struct rtreg_runtime runtime;
	struct rtreg_name forged;

	ck_assert(!words_differ(other, strlen(other), configured[11], strlen(configured[11])));
	ck_assert_int_eq(rtreg_resolve(snapshot, other, &runtime, NULL), -EINVAL);
	/* with the hash of one that is there, it is still another */
	rtreg_name_init(&forged, configured[11]);
	forged.name = other;
	ck_assert_int_eq(rtreg_resolve_name(snapshot, &forged, &runtime, NULL), -EINVAL);
	snapshot_free(snapshot);
}
END_TEST

/* Zeros behind a name make another name, though its words are the same. */
START_TEST(resolve_tells_names_apart_that_differ_in_length_alone)
{
	struct rtreg_snapshot *snapshot =
	        snapshot_of(configured[0], sizeof(configured[0]), ARRAY_SIZE(configured));
	struct rtreg_runtime runtime;
	struct rtreg_name forged;

	rtreg_name_init_len(&forged, "runc", 4);
	forged.length = 5;
	ck_assert_int_eq(rtreg_resolve_name(snapshot, &forged, &runtime, NULL), -EINVAL);
	ck_assert_int_eq(rtreg_resolve_len(snapshot, "runc\0", 5, &runtime, NULL), -EINVAL);
	snapshot_free(snapshot);
}
END_TEST

START_TEST(resolve_name_answers_as_resolve_to_every_input)
{
	static const char *const refused[] = {"unknown", "an/absolute.path", ".hidden", "runc ", "run",
	                                      "uncr"};
	struct rtreg_snapshot *snapshot =
	        snapshot_of(configured[0], sizeof(configured[0]), ARRAY_SIZE(configured));
	char endless[2000];

	assert_same_answer(snapshot, NULL, 0);
	assert_same_answer(snapshot, "", 0);
	for (size_t i = 0; i < ARRAY_SIZE(configured); i++)
		assert_same_answer(snapshot, configured[i], 0);
	assert_same_answer(snapshot, "io.containerd.kata.v2", 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_same_answer(snapshot, refused[i], -EINVAL);
	fill(endless, sizeof(endless) - 1);
	assert_same_answer(snapshot, endless, -EINVAL);
	snapshot_free(snapshot);
}
END_TEST

START_TEST(resolve_name_works_in_one_snapshot_after_another)
{
	struct rtreg_snapshot *small = snapshot_of(configured[0], sizeof(configured[0]), 5);
	struct rtreg_snapshot *large =
	        snapshot_of(configured[0], sizeof(configured[0]), ARRAY_SIZE(configured));
	struct rtreg_name name, absent;
	struct rtreg_runtime runtime;

	rtreg_name_init(&name, "gvi");
	rtreg_name_init(&absent, "sysbox-8");
	ck_assert_int_eq(rtreg_resolve_name(small, &name, &runtime, NULL), 0);
	ck_assert_int_eq(rtreg_resolve_name(small, &absent, &runtime, NULL), -EINVAL);
	ck_assert_int_eq(rtreg_resolve_name(large, &name, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.name, "gvi");
	ck_assert_int_eq(rtreg_resolve_name(large, &absent, &runtime, NULL), 0);
	ck_assert_str_eq(runtime.name, "sysbox-8");
	snapshot_free(small);
	snapshot_free(large);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("name");
	TCase *words = tcase_create("words"), *prepared = tcase_create("prepared");

	tcase_add_test(words, words_of_names_up_to_24_bytes_differ_with_each_byte);
	tcase_add_test(words, hash_differs_with_each_byte);
	tcase_add_test(words, hash_differs_with_the_length_of_equal_bytes);
	tcase_add_test(words, hash_reads_the_name_and_nothing_around_it);
	tcase_add_test(words, hash_of_numbered_names_uses_all_bits);
	tcase_add_test(words, mix_is_the_same_with_and_without_a_product_of_128_bits);
	suite_add_tcase(suite, words);
	tcase_add_test(prepared, resolve_finds_names_of_every_length);
	tcase_add_test(prepared, resolve_tells_long_names_apart_that_differ_in_the_middle);
	tcase_add_test(prepared, resolve_tells_names_apart_that_differ_in_length_alone);
	tcase_add_test(prepared, resolve_name_answers_as_resolve_to_every_input);
	tcase_add_test(prepared, resolve_name_works_in_one_snapshot_after_another);
	suite_add_tcase(suite, prepared);
	return unit_run(suite);
}
