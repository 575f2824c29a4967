/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define RUNTIMES_MAX 4

/* Members of an entry, as letters: p(ath), t(ype), o(ptions), a(rgs). */
static const struct {
	const char *default_runtime;
	struct {
		const char *name, *members;
	} runtimes[RUNTIMES_MAX];
	const char *errors[LIST_MAX];
} cases[] = {
        {NULL, {{NULL, NULL}}, {NULL}},
        {"", {{NULL, NULL}}, {NULL}},
        {"runc", {{NULL, NULL}}, {NULL}},
        {"io.containerd.runc.v2", {{NULL, NULL}}, {NULL}},
        {"io.containerd.runsc.v1", {{NULL, NULL}}, {NULL}},
        {"kata", {{"a", "p"}, {"kata", "t"}}, {NULL}},
        {"my/custom.runtime", {{"my/custom.runtime", "p"}}, {NULL}},
        {NULL, {{"a", "pa"}, {"b", "to"}, {"io.containerd.runc.v2", "p"}, {"runcx", "t"}}, {NULL}},
        {"nvidia", {{"nvidia2", "p"}}, {"specified default runtime 'nvidia' does not exist"}},
        {".hidden.v1", {{NULL, NULL}}, {"specified default runtime '.hidden.v1' does not exist"}},
        {"a/b.v1", {{NULL, NULL}}, {"specified default runtime 'a/b.v1' does not exist"}},
        {NULL, {{"runc", "p"}}, {"runtime name 'runc' is reserved"}},
        {NULL, {{"runc", ""}}, {"runtime name 'runc' is reserved"}},
        {NULL, {{"k", ""}}, {"runtime k: either a runtimeType or a path must be configured"}},
        {NULL, {{"k", "oa"}}, {"runtime k: either a runtimeType or a path must be configured"}},
        {NULL, {{"k", "pt"}}, {"runtime k: cannot configure both path and runtimeType for the same runtime"}},
        {NULL,
         {{"k", "ptoa"}},
         {"runtime k: cannot configure both path and runtimeType for the same runtime"}},
        {NULL, {{"k", "poa"}}, {"runtime k: options cannot be used with a path runtime"}},
        {NULL, {{"k", "toa"}}, {"runtime k: args cannot be used with a runtimeType runtime"}},
        {"nvidia",
         {{"a", "ta"}, {"b", ""}, {"runc", "p"}, {"z", "po"}},
         {"runtime name 'runc' is reserved", "specified default runtime 'nvidia' does not exist",
          "runtime a: args cannot be used with a runtimeType runtime",
          "runtime b: either a runtimeType or a path must be configured",
          "runtime z: options cannot be used with a path runtime"}},
};

static struct value entry_of(struct fixture *fixture, const char *members)
{
	struct value entry = {.type = VALUE_OBJECT};

	entry.members = arena_alloc_array(fixture->arena, 4, sizeof(*entry.members));
	ck_assert_ptr_nonnull(entry.members);
	for (; *members; members++)
		entry.members[entry.count++] = (struct member){
		        *members == 'p'   ? "path"
		        : *members == 't' ? "runtimeType"
		        : *members == 'o' ? "options"
		                          : "runtimeArgs",
		        value_of_string("x"),
		};
	return entry;
}

START_TEST(check_runtimes_entries_say_what_is_wrong)
{
	struct value runtimes = {.type = VALUE_OBJECT};
	struct member members[RUNTIMES_MAX];
	struct fixture fixture;

	fixture_init(&fixture);
	for (; runtimes.count < RUNTIMES_MAX && cases[_i].runtimes[runtimes.count].name; runtimes.count++)
		members[runtimes.count] =
		        (struct member){cases[_i].runtimes[runtimes.count].name,
		                        entry_of(&fixture, cases[_i].runtimes[runtimes.count].members)};
	runtimes.members = members;
	fixture_set(&fixture, KEY_ID_RUNTIMES, runtimes);
	if (cases[_i].default_runtime)
		fixture_set(&fixture, KEY_ID_DEFAULT_RUNTIME, value_of_string(cases[_i].default_runtime));
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, cases[_i].errors);
	fixture_fini(&fixture);
}
END_TEST

START_TEST(check_runtimes_entry_error_names_its_key)
{
	struct member member = {"kata", {.type = VALUE_OBJECT}};
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, KEY_ID_RUNTIMES,
	            (struct value){.type = VALUE_OBJECT, .count = 1, .members = &member});
	checks_run(&fixture.settings, &fixture.problems);
	ck_assert_uint_eq(fixture.problems.errors.count, 1);
	ck_assert_str_eq(fixture.problems.errors.items[0].where, "runtimes.kata");
	fixture_fini(&fixture);
}
END_TEST

static const struct {
	const char *name;
	bool stock;
} names[] = {
        {"runc", true},
        {"io.containerd.runc.v2", true},
        {"io.containerd.kata.v2", true},
        {"a.", true},
        {"runc2", false},
        {"", false},
        {".runc", false},
        {"/usr/bin/shim.v2", false},
        {"RUNC", false},
};

START_TEST(runtime_name_is_stock_name_is_told)
{
	ck_assert_int_eq(runtime_name_is_stock(names[_i].name), names[_i].stock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check_runtimes");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, check_runtimes_entries_say_what_is_wrong, 0, ARRAY_SIZE(cases));
	tcase_add_test(tcase, check_runtimes_entry_error_names_its_key);
	tcase_add_loop_test(tcase, runtime_name_is_stock_name_is_told, 0, ARRAY_SIZE(names));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
