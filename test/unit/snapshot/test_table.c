/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of a snapshot: everything is found, and how many slots are looked at, with names as people and programs make
 * them. No clock: slots are counted.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "names.h"
#include "unit.h"

#define ROOM 64

/*
 * What random names would need. In a table that is half full, the fullest there is, a name that is there takes 1.5 slots
 * on average, and the longest way of 65,536 names is some 30.
 */
#define MEAN_MAX    1.6
#define LONGEST_MAX 64

static void numbered(char *name, unsigned i)
{
	snprintf(name, ROOM, "runc-%u", i + 1);
}

static void padded(char *name, unsigned i)
{
	snprintf(name, ROOM, "kata-%08u", i);
}

static void long_beginning(char *name, unsigned i)
{
	snprintf(name, ROOM, "io.containerd.runc.v2.production.eu-west-1.cluster-%u", i);
}

static void long_end(char *name, unsigned i)
{
	snprintf(name, ROOM, "%u.runtime.internal.example.com", i);
}

static void in_the_middle(char *name, unsigned i)
{
	snprintf(name, ROOM, "production-kata-%06u-eu-west-1", i);
}

static void in_the_first_word(char *name, unsigned i)
{
	snprintf(name, ROOM, "%08u-runtime-of-kata", i);
}

static void in_the_second_word(char *name, unsigned i)
{
	snprintf(name, ROOM, "gvisor-o%08unsysbox8", i);
}

static void in_the_last_word(char *name, unsigned i)
{
	snprintf(name, ROOM, "gvisor-on-sysbox%08u", i);
}

static void hexadecimal(char *name, unsigned i)
{
	snprintf(name, ROOM, "%016x", i);
}

/* Letters of one byte in which only the lowest bits differ. */
static void bits(char *name, unsigned i)
{
	for (unsigned bit = 0; bit < 17; bit++)
		name[bit] = (char)('a' + (i >> bit & 1));
	name[17] = '\0';
}

/* Only one letter in each word differs, the one in its highest bits. */
static void strides(char *name, unsigned i)
{
	snprintf(name, ROOM, "runtime%c-gvisor%c-sysbox%c", 'A' + (int)(i % 41), 'A' + (int)(i / 41 % 41),
	         'A' + (int)(i / 1681 % 41));
}

static const struct family {
	const char *name;
	void (*make)(char *name, unsigned i);
	unsigned count;
} families[] = {
        {"runc-1 …", numbered, 100000},
        {"runc-1 …, half full", numbered, 65536},
        {"kata-00000000 …", padded, 65536},
        {"a long common beginning", long_beginning, 65536},
        {"a long common end", long_end, 65536},
        {"a number in the middle", in_the_middle, 65536},
        {"a number in the first word", in_the_first_word, 65536},
        {"a number in the second word", in_the_second_word, 65536},
        {"a number in the last word", in_the_last_word, 65536},
        {"hexadecimal", hexadecimal, 65536},
        {"one bit in each letter", bits, 65536},
        {"one letter in each word", strides, 65536},
        {"64", numbered, 64},
        {"8", numbered, 8},
};

/* The slots that are looked at until `name` is found; 0: it is not. */
static uint64_t way_to(const struct rtreg_snapshot *snapshot, const char *name)
{
	const struct rtreg_snapshot_head *head = &snapshot->head;
	struct rtreg_runtime runtime;
	uint64_t at = rtreg_hash(name, strlen(name)), slots = 1;

	if (rtreg_resolve(snapshot, name, &runtime, NULL) < 0 || runtime.name != name)
		return 0;
	while (head->slots[at & head->mask].runtime->name != name) {
		at++;
		slots++;
	}
	return slots;
}

START_TEST(table_ways_are_no_longer_than_those_of_random_names)
{
	const struct family *family = &families[_i];
	_cleanup_free_ char *names = calloc(family->count, ROOM);
	struct rtreg_snapshot *snapshot;
	uint64_t sum = 0, longest = 0;

	for (unsigned i = 0; i < family->count; i++)
		family->make(names + (size_t)i * ROOM, i);
	snapshot = snapshot_of(names, ROOM, family->count);
	for (unsigned i = 0; i < family->count; i++) {
		uint64_t way = way_to(snapshot, names + (size_t)i * ROOM);

		if (way == 0) /* an assertion for each would take longer than all else */
			ck_abort_msg("%s: not found", names + (size_t)i * ROOM);
		sum += way;
		longest = way > longest ? way : longest;
	}
	printf("%s: mean %.3f, longest %lu\n", family->name, (double)sum / family->count,
	       (unsigned long)longest);
	/* of a few names the mean says little */
	if (family->count >= 1000)
		ck_assert_double_le((double)sum, MEAN_MAX * family->count);
	ck_assert_uint_le(longest, family->count >= 1000 ? LONGEST_MAX : 16);
	snapshot_free(snapshot);
}
END_TEST

START_TEST(table_is_at_most_half_full)
{
	static char names[300][ROOM];

	for (unsigned i = 0; i < 300; i++)
		numbered(names[i], i);
	for (size_t count = 1; count <= 300; count++) {
		struct rtreg_snapshot *snapshot = snapshot_of(names[0], ROOM, count);

		ck_assert_uint_ge(snapshot->head.mask + 1, 2 * count);
		snapshot_free(snapshot);
	}
}
END_TEST

START_TEST(table_slots_lie_in_one_cache_line_each)
{
	static char names[100][ROOM];

	for (unsigned i = 0; i < 100; i++)
		numbered(names[i], i);
	for (size_t count = 1; count <= 100; count++) {
		struct rtreg_snapshot *snapshot = snapshot_of(names[0], ROOM, count);

		ck_assert_uint_eq((uintptr_t)snapshot->head.slots % sizeof(struct rtreg_slot), 0);
		snapshot_free(snapshot);
	}
	ck_assert_uint_eq(64 % sizeof(struct rtreg_slot), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, table_ways_are_no_longer_than_those_of_random_names, 0,
	                    ARRAY_SIZE(families));
	tcase_add_test(tcase, table_is_at_most_half_full);
	tcase_add_test(tcase, table_slots_lie_in_one_cache_line_each);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
