/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of all sizes: zeroed, aligned, apart from each other. */
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "unit.h"

#define LARGE ((size_t)3 << 20)

static bool is_all(const unsigned char *bytes, size_t size, size_t byte)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

START_TEST(arena_alloc_large_and_small_pieces_are_zeroed_aligned_and_apart)
{
	static const size_t sizes[] = {1, LARGE, 24, 4096, (size_t)1 << 18, LARGE + 1, 0, 100000};
	_cleanup_arena_ struct arena *arena = arena_new();
	unsigned char *pieces[ARRAY_SIZE(sizes)];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pieces[i] = arena_alloc(arena, sizes[i]);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(uint64_t), 0);
		ck_assert(is_all(pieces[i], sizes[i], 0));
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ck_assert(is_all(pieces[i], sizes[i], i + 1));
}
END_TEST

START_TEST(arena_alloc_more_than_there_is_is_null_and_leaves_the_arena_usable)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	ck_assert_ptr_null(arena_alloc(arena, SIZE_MAX / 4));
	ck_assert_ptr_null(arena_alloc(arena, SIZE_MAX - 8));
	ck_assert_ptr_null(arena_alloc_array(arena, SIZE_MAX / 2, 3));
	ck_assert_ptr_nonnull(arena_alloc(arena, LARGE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tcase = tcase_create("arena");

	tcase_add_test(tcase, arena_alloc_large_and_small_pieces_are_zeroed_aligned_and_apart);
	tcase_add_test(tcase, arena_alloc_more_than_there_is_is_null_and_leaves_the_arena_usable);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
