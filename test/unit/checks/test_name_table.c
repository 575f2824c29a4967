/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "checks/name_table.h"
#include "fixture.h"

#define MANY 20000

START_TEST(name_table_add_known_name_gives_its_index)
{
	_cleanup_name_table_ struct name_table table = {0};

	ck_assert_int_eq(name_table_init(&table, 3), 0);
	ck_assert_uint_eq(name_table_add(&table, span_of("b")), 0);
	ck_assert_uint_eq(name_table_add(&table, span_of("a")), 1);
	ck_assert_uint_eq(name_table_add(&table, span_of("b")), 0);
	ck_assert_uint_eq(name_table_add(&table, span_of("")), 2);
	ck_assert_uint_eq(table.count, 3);
}
END_TEST

START_TEST(name_table_add_many_names_are_all_found)
{
	_cleanup_name_table_ struct name_table table = {0};
	static char names[MANY][8];

	ck_assert_int_eq(name_table_init(&table, MANY), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		ck_assert_uint_eq(name_table_add(&table, span_of(names[i])), i);
	}
	for (uint32_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(name_table_add(&table, span_of(names[i])), i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("name_table");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, name_table_add_known_name_gives_its_index);
	tcase_add_test(tcase, name_table_add_many_names_are_all_found);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
