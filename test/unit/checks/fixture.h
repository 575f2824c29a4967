/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings made by hand, and the comparison of what the checks say about them. */
#ifndef TEST_CHECKS_FIXTURE_H
#define TEST_CHECKS_FIXTURE_H

#include <check.h>
#include <errno.h>

#include "checks/checks.h"
#include "unit.h"

#define LIST_MAX 6

struct fixture {
	struct arena *arena;
	struct keyset keys;
	struct setting items[KEY_ID_NAMED];
	struct settings settings;
	struct problems problems;
};

/* One value for one key, and every error that must come of it, in order. */
struct string_case {
	enum key_id id;
	const char *value;
	const char *error; /* NULL: none */
};

struct list_case {
	const char *values[LIST_MAX];
	const char *errors[LIST_MAX];
};

static inline void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){.arena = arena_new(), .keys = {.count = KEY_ID_NAMED}};
	ck_assert_ptr_nonnull(fixture->arena);
	fixture->settings = (struct settings){.keys = &fixture->keys, .items = fixture->items};
}

static inline void fixture_fini(struct fixture *fixture)
{
	problems_fini(&fixture->problems);
	arena_free(fixture->arena);
}

static inline void fixture_set(struct fixture *fixture, enum key_id id, struct value value)
{
	fixture->items[id] = (struct setting){.set = true, .origin = ORIGIN_FILE, .value = value};
}

static inline struct value fixture_list(struct fixture *fixture, const char *const *strings)
{
	struct value list = {.type = VALUE_ARRAY};

	list.elements = arena_alloc_array(fixture->arena, LIST_MAX, sizeof(*list.elements));
	ck_assert_ptr_nonnull(list.elements);
	while (list.count < LIST_MAX && strings[list.count]) {
		list.elements[list.count] = value_of_string(strings[list.count]);
		list.count++;
	}
	return list;
}

/* Exactly these, up to LIST_MAX or NULL. */
static inline void fixture_expect(const struct fixture *fixture, const char *const *errors)
{
	const struct problem_list *found = &fixture->problems.errors;
	size_t count = 0;

	while (count < LIST_MAX && errors[count]) {
		ck_assert_msg(count < found->count, "missing: %s", errors[count]);
		ck_assert_str_eq(found->items[count].message, errors[count]);
		ck_assert_int_eq(found->items[count].code, -EINVAL);
		count++;
	}
	ck_assert_msg(found->count == count, "unexpected: %s",
	              found->count > count ? found->items[count].message : "");
	ck_assert(!fixture->problems.failed);
}

static inline void fixture_run_string(const struct string_case *c)
{
	const char *errors[] = {c->error, NULL};
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, c->id, value_of_string(c->value));
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, errors);
	fixture_fini(&fixture);
}

static inline void fixture_run_list(enum key_id id, const char *where, const struct list_case *c)
{
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, id, fixture_list(&fixture, c->values));
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, c->errors);
	for (size_t i = 0; i < fixture.problems.errors.count; i++)
		ck_assert_str_eq(fixture.problems.errors.items[i].where, where);
	fixture_fini(&fixture);
}

#endif
