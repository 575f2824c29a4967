/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a writer that lies may hand out: every kind of damage is refused before anything is looked up. */
#include "world.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#define CONFIG                                                                                      \
	"{\"runtimes\":{\"plain\":{\"path\":\"/opt/plain\"},\"kata\":{\"runtimeType\":\"io.k.v2\"," \
	"\"options\":{\"A\":1}}}}"

/* A copy of a good snapshot, of exactly its size, so that a sanitizer sees what is read outside. */
static char *bytes;
static uint64_t size;
static struct shared_header *header;
static struct shared_slot *slots;
static struct shared_entry *entries;

static void setup(void)
{
	struct shared_file file;

	world_open(CONFIG);
	file = write_live();
	size = file.size;
	bytes = malloc(size);
	ck_assert_int_eq(pread(file.fd, bytes, size, 0), (ssize_t)size);
	close(file.fd);
	header = (struct shared_header *)(void *)bytes;
	slots = (struct shared_slot *)(void *)(bytes + header->slots);
	entries = (struct shared_entry *)(void *)(bytes + header->entries);
}

static void teardown(void)
{
	free(bytes);
	world_close();
}

static int check_bytes(uint64_t length)
{
	struct shared_snapshot snapshot;
	char *exact = malloc(length ? length : 1);
	int result;

	memcpy(exact, bytes, length);
	result = shared_snapshot_check(exact, length, &snapshot);
	free(exact);
	return result;
}

START_TEST(undamaged_copy_is_accepted)
{
	ck_assert_int_eq(check_bytes(size), 0);
}
END_TEST

/* One field each, and what to put there: a number, or something of the snapshot's own plus it. */
enum base { NOTHING, SIZE, SLOTS, ENTRIES, STRINGS, ENTRY_COUNT, SELF };

#define HEADER(field) offsetof(struct shared_header, field), sizeof(((struct shared_header *)0)->field)

static const struct damage {
	size_t offset, width;
	enum base base;
	int64_t add;
} damages[] = {
        {HEADER(magic), NOTHING, 0},
        {HEADER(version), NOTHING, 0},
        {HEADER(version), NOTHING, SHARED_VERSION + 1},
        {HEADER(epoch), NOTHING, 0},
        {HEADER(generation), NOTHING, 0},
        {HEADER(size), SIZE, -1},
        {HEADER(size), SIZE, 1},
        {HEADER(size), NOTHING, 0},
        {HEADER(size), NOTHING, -1},
        {HEADER(hash_sample), SELF, 1},
        {HEADER(slot_count), NOTHING, 0},
        {HEADER(slot_count), NOTHING, 1},
        {HEADER(slot_count), NOTHING, 3},
        {HEADER(slot_count), NOTHING, 1 << 30},
        {HEADER(slot_count), NOTHING, INT64_C(1) << 31},
        {HEADER(slot_count), NOTHING, -1},
        {HEADER(entry_count), NOTHING, 0},
        {HEADER(entry_count), NOTHING, -1},
        {HEADER(entry_count), NOTHING, 1 << 20},
        {HEADER(default_entry), ENTRY_COUNT, 0},
        {HEADER(default_entry), NOTHING, -1},
        {HEADER(slots), NOTHING, 0},
        {HEADER(slots), NOTHING, 4},
        {HEADER(slots), SLOTS, 1},
        {HEADER(slots), SIZE, 0},
        {HEADER(slots), SIZE, 8},
        {HEADER(slots), NOTHING, -8},
        {HEADER(entries), NOTHING, 0},
        {HEADER(entries), ENTRIES, 2},
        {HEADER(entries), SIZE, 0},
        {HEADER(entries), NOTHING, -8},
        {HEADER(strings), NOTHING, 0},
        {HEADER(strings), SIZE, 1},
        {HEADER(strings), NOTHING, -1},
};

static int64_t base_of(const struct damage *damage)
{
	const int64_t bases[] = {[NOTHING] = 0,
	                         [SIZE] = (int64_t)size,
	                         [SLOTS] = header->slots,
	                         [ENTRIES] = header->entries,
	                         [STRINGS] = header->strings,
	                         [ENTRY_COUNT] = header->entry_count,
	                         [SELF] = (int64_t)header->hash_sample};

	return bases[damage->base];
}

START_TEST(damaged_header_is_refused)
{
	const struct damage *damage = &damages[_i];
	int64_t value = (int64_t)((uint64_t)base_of(damage) + (uint64_t)damage->add);

	memcpy(bytes + damage->offset, &value, damage->width);
	ck_assert_int_eq(check_bytes(size), -EPROTO);
}
END_TEST

START_TEST(truncated_snapshot_is_refused)
{
	for (uint64_t length = 0; length < size; length++) {
		ck_assert_int_eq(check_bytes(length), -EPROTO);
		if (length >= sizeof(*header)) {
			header->size = length;
			ck_assert_int_eq(check_bytes(length), -EPROTO);
			header->size = size;
		}
	}
}
END_TEST

START_TEST(slot_past_the_entries_is_refused)
{
	for (uint32_t i = 0; i < header->slot_count; i++) {
		struct shared_slot kept = slots[i];

		slots[i].entry = header->entry_count + 1;
		ck_assert_int_eq(check_bytes(size), -EPROTO);
		slots[i].entry = UINT32_MAX;
		ck_assert_int_eq(check_bytes(size), -EPROTO);
		slots[i] = kept;
	}
	ck_assert_int_eq(check_bytes(size), 0);
}
END_TEST

START_TEST(table_without_an_empty_slot_is_refused)
{
	for (uint32_t i = 0; i < header->slot_count; i++)
		slots[i].entry = 1;
	ck_assert_int_eq(check_bytes(size), -EPROTO);
}
END_TEST

/* The i-th string of all entries. */
static struct shared_string *string_at(size_t i)
{
	return (struct shared_string *)entries + i;
}

START_TEST(string_outside_or_without_an_end_is_refused)
{
	for (size_t i = 0; i < 4 * (size_t)header->entry_count; i++) {
		const struct shared_string bad[] = {
		        {0, 1},
		        {1, 0},
		        {header->strings - 1, 0},
		        {(uint32_t)size, 0},
		        {(uint32_t)size - 1, 1},
		        {(uint32_t)size - 1, UINT32_MAX},
		        {header->strings, UINT32_MAX},
		        {UINT32_MAX, UINT32_MAX},
		        {header->strings, (uint32_t)size - header->strings},
		        {header->strings, 1},
		};
		struct shared_string kept = *string_at(i);

		for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			*string_at(i) = bad[j];
			ck_assert_msg(check_bytes(size) == -EPROTO, "string %zu, damage %zu", i, j);
		}
		*string_at(i) = kept;
	}
	ck_assert_int_eq(check_bytes(size), 0);
}
END_TEST

START_TEST(entry_without_a_name_or_a_shim_is_refused)
{
	struct shared_string kept = entries[0].name;

	entries[0].name = (struct shared_string){0};
	ck_assert_int_eq(check_bytes(size), -EPROTO);
	entries[0].name = kept;
	entries[0].shim = (struct shared_string){0};
	ck_assert_int_eq(check_bytes(size), -EPROTO);
}
END_TEST

static void read_all(const struct shared_snapshot *snapshot, const struct shared_entry *entry)
{
	struct rtreg_runtime runtime;

	shared_snapshot_get(snapshot, entry, &runtime);
	ck_assert_uint_ge(runtime.name_length, strlen(runtime.name));
	ck_assert_uint_ge(runtime.shim_length, strlen(runtime.shim));
	if (runtime.binary)
		ck_assert_uint_lt(strlen(runtime.binary), size);
	if (runtime.options_json)
		ck_assert_uint_lt(strlen(runtime.options_json), size);
}

/* A look-up in what is accepted ends, and reads nothing outside: the sanitizer's builds see to it. */
START_TEST(random_damage_is_refused_or_does_no_harm)
{
	static const char *const names[] = {"", "plain", "kata", "runc", "nothing", "io.containerd.runc.v2"};
	const char *given = getenv("RTREG_TEST_SEED");
	unsigned seed = given ? (unsigned)atol(given) : (unsigned)time(NULL);
	char *good = malloc(size);

	printf("seed %u\n", seed);
	srand(seed);
	memcpy(good, bytes, size);
	for (int round = 0; round < 20000; round++) {
		struct shared_snapshot snapshot;
		char *copy = malloc(size);

		memcpy(copy, good, size);
		for (int i = 1 + rand() % 4; i > 0; i--)
			copy[(uint64_t)rand() % size] = (char)rand();
		if (shared_snapshot_check(copy, size, &snapshot) == 0)
			for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
				const struct shared_entry *entry =
				        shared_snapshot_find(&snapshot, names[i], strlen(names[i]));

				if (entry)
					read_all(&snapshot, entry);
			}
		free(copy);
	}
	free(good);
}
END_TEST

/* --- descriptors --- */

static int copy_to_memfd(int seals)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

START_TEST(snapshot_with_other_seals_is_refused)
{
	struct shared_snapshot snapshot;
	static const int missing[] = {F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL};

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		int fd = copy_to_memfd(SHARED_SNAPSHOT_SEALS & ~missing[i]);

		ck_assert_int_eq(shared_snapshot_map(fd, &snapshot), -EPROTO);
		close(fd);
	}
	int fd = copy_to_memfd(SHARED_SNAPSHOT_SEALS);
	ck_assert_int_eq(shared_snapshot_map(fd, &snapshot), 0);
	shared_snapshot_unmap(&snapshot);
	close(fd);
}
END_TEST

START_TEST(what_is_no_memfd_is_refused)
{
	struct shared_snapshot snapshot;
	struct shared_view view;
	int fd = open(sandbox.config, O_RDONLY | O_CLOEXEC), ends[2];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(shared_snapshot_map(fd, &snapshot), -EPROTO);
	ck_assert_int_eq(shared_view_map(fd, &view), -EPROTO);
	close(fd);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(shared_snapshot_map(ends[0], &snapshot), -EPROTO);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(page_that_is_damaged_or_not_sealed_is_refused)
{
	static const struct shared_control good = {
	        .magic = SHARED_CONTROL_MAGIC, .version = SHARED_VERSION, .owner_offset = 64, .epoch = 1};
	struct shared_control pages[7];
	int accepted = 0;

	for (size_t i = 0; i < 7; i++)
		pages[i] = good;
	pages[1].magic[0] = 'x';
	pages[2].version = 2;
	pages[3].owner_offset = 4096;
	pages[4].owner_offset = 65;
	pages[5].owner_offset = 0;
	pages[6].epoch = 0;
	for (size_t i = 0; i < 8; i++) {
		int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		int seals = i == 7 ? F_SEAL_SEAL : SHARED_CONTROL_SEALS;
		struct shared_view view;

		ck_assert_int_eq(ftruncate(fd, 4096), 0);
		ck_assert_int_eq(pwrite(fd, &pages[i % 7], sizeof(good), 0), sizeof(good));
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
		if (shared_view_map(fd, &view) == 0) {
			accepted++;
			ck_assert_uint_eq(i, 0);
			shared_view_unmap(&view);
		}
		close(fd);
	}
	ck_assert_int_eq(accepted, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared-damaged");
	TCase *tcase = tcase_create("damaged");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, undamaged_copy_is_accepted);
	tcase_add_loop_test(tcase, damaged_header_is_refused, 0, sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(tcase, truncated_snapshot_is_refused);
	tcase_add_test(tcase, slot_past_the_entries_is_refused);
	tcase_add_test(tcase, table_without_an_empty_slot_is_refused);
	tcase_add_test(tcase, string_outside_or_without_an_end_is_refused);
	tcase_add_test(tcase, entry_without_a_name_or_a_shim_is_refused);
	tcase_add_test(tcase, random_damage_is_refused_or_does_no_harm);
	tcase_add_test(tcase, snapshot_with_other_seals_is_refused);
	tcase_add_test(tcase, what_is_no_memfd_is_refused);
	tcase_add_test(tcase, page_that_is_damaged_or_not_sealed_is_refused);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
