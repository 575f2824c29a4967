/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define RESERVED(label)                                                                                      \
	"label " label " is not allowed: the namespaces com.docker.*, io.docker.*, and org.dockerproject.* " \
	"are reserved for internal use"

static const struct list_case cases[] = {
        {{NULL}, {NULL}},
        {{"rack=7", "ssd=", "note=a=b"}, {NULL}},
        {{"com.dockerx=1", "docker.com.docker.x=1"}, {NULL}},
        {{"rack=7", "rack=7"}, {NULL}},
        {{"rack=7", "Rack=8"}, {NULL}},
        {{"ssd"}, {"bad attribute format: ssd"}},
        {{""}, {"bad attribute format: "}},
        {{"=x"}, {"bad attribute format: =x"}},
        {{"com.docker.a=x"}, {RESERVED("com.docker.a=x")}},
        {{"IO.Docker.a=x"}, {RESERVED("IO.Docker.a=x")}},
        {{"org.dockerproject.=x"}, {RESERVED("org.dockerproject.=x")}},
        {{"rack=7", "rack=8"}, {"conflict labels for rack=8 and rack=7"}},
        {{"rack=", "rack=8"}, {"conflict labels for rack=8 and rack="}},
        {{"a=1", "b=1", "b=2", "a=2", "a=1"},
         {"conflict labels for b=2 and b=1", "conflict labels for a=2 and a=1"}},
        {{"a=1", "ssd", "a=2", "io.docker.x=1", "hdd"},
         {"bad attribute format: ssd", RESERVED("io.docker.x=1"), "bad attribute format: hdd",
          "conflict labels for a=2 and a=1"}},
};

START_TEST(check_labels_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_LABELS, "labels", &cases[_i]);
}
END_TEST

START_TEST(labels_unique_same_pair_twice_is_kept_once)
{
	const char *labels[] = {"b=1", "a=1", "b=1", "a=2", "a=1", NULL}, *expected[] = {"b=1", "a=1", "a=2"};
	struct fixture fixture;
	struct value list, unique;

	fixture_init(&fixture);
	list = fixture_list(&fixture, labels);
	ck_assert_int_eq(labels_unique(fixture.arena, &list, &unique), 0);
	ck_assert_int_eq(unique.type, VALUE_ARRAY);
	ck_assert_uint_eq(unique.count, ARRAY_SIZE(expected));
	for (uint32_t i = 0; i < unique.count; i++)
		ck_assert_str_eq(unique.elements[i].string, expected[i]);
	fixture_fini(&fixture);
}
END_TEST

START_TEST(labels_unique_none_gives_none)
{
	const struct value none = {.type = VALUE_ARRAY};
	struct fixture fixture;
	struct value unique;

	fixture_init(&fixture);
	ck_assert_int_eq(labels_unique(fixture.arena, &none, &unique), 0);
	ck_assert_uint_eq(unique.count, 0);
	fixture_fini(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check_labels");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, check_labels_list_says_what_is_wrong, 0, ARRAY_SIZE(cases));
	tcase_add_test(tcase, labels_unique_same_pair_twice_is_kept_once);
	tcase_add_test(tcase, labels_unique_none_gives_none);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
