/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a reload takes from the live configuration is what it would have made: after each of many random ones everything
 * is as in a registry that has just been opened on the same files. RTREG_SEED repeats one run.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define RELOADS 25
#define NAMES   12

static struct sandbox reloaded, fresh;
static struct rtreg *registry, *other;
static struct rtreg_error error;
static unsigned long seed;

static void setup(void)
{
	const char *given = getenv("RTREG_SEED");

	seed = given ? strtoul(given, NULL, 10) : (unsigned long)getpid();
	srandom((unsigned)seed);
	sandbox_init(&reloaded);
	sandbox_init(&fresh);
	fresh.options.exec_root = reloaded.options.exec_root;
}

static void teardown(void)
{
	rtreg_close(registry);
	rtreg_close(other);
	rtreg_error_fini(&error);
	sandbox_fini(&reloaded);
	sandbox_fini(&fresh);
}

/* --- random configurations --- */

static unsigned made_from; /* which runtimes there are, and what each is */

static long below(long limit)
{
	return random() % limit;
}

static void write_arguments(FILE *file)
{
	static const char *const arguments[] = {"--root=/a b", "it's"};
	long count = below(3);

	fputs(",\"runtimeArgs\":[", file);
	for (long i = 0; i < count; i++)
		fprintf(file, "%s\"%s\"", i ? "," : "", arguments[below(2)]);
	fputs("]", file);
}

/* The same for the same seed, whatever stands around it. */
static void write_runtime(FILE *file, long name)
{
	srandom(made_from * 31 + (unsigned)name * 7919);
	if (below(5) == 0) {
		fprintf(file, "\"r%ld\":{\"runtimeType\":\"io.containerd.kata.v2\",\"options\":{\"A\":%ld}}",
		        name, below(2));
		return;
	}
	fprintf(file, "\"r%ld\":{\"path\":\"/no/such/kata%ld\"", name, below(2));
	if (below(4) > 0)
		write_arguments(file);
	fputs("}", file);
}

/* Each name is in one file at most, or in none. */
static void write_runtimes(FILE *file, const long owners[NAMES], long owner)
{
	const char *comma = "";

	fputs("\"runtimes\":{", file);
	for (long i = 0; i < NAMES; i++) {
		if (owners[i] != owner)
			continue;
		fputs(comma, file);
		write_runtime(file, i);
		comma = ",";
	}
	fputs("}", file);
}

static void copy_file(const char *from, const char *to)
{
	char text[16384];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	size_t length = fread(text, 1, sizeof(text), in);

	ck_assert_uint_eq(fwrite(text, 1, length, out), length);
	fclose(in);
	ck_assert_int_eq(fclose(out), 0);
}

static const char *drop_in(const struct sandbox *sandbox)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s.d", sandbox->config);
	ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
	strcat(path, "/50-more.json");
	return path;
}

/* The same files for both. Often runtimes stay as they were, and only move to the other file. */
static void write_files(void)
{
	long owners[NAMES], split = below(4); /* 0: all are the main file's; 1: the drop-in's */
	unsigned after = (unsigned)random();
	char from[256];
	FILE *file;

	if (below(3) == 0)
		made_from = (unsigned)random();
	for (long i = 0; i < NAMES; i++)
		owners[i] = (made_from >> i) % 4 == 0 ? 2 : split > 1 ? below(2) : split;
	file = fopen(reloaded.config, "we");
	fprintf(file, "{\"labels\":[\"number=%u\"],", after % 2);
	write_runtimes(file, owners, 0);
	fputs("}", file);
	ck_assert_int_eq(fclose(file), 0);
	file = fopen(drop_in(&reloaded), "we");
	fputs("{", file);
	write_runtimes(file, owners, 1);
	fputs("}", file);
	ck_assert_int_eq(fclose(file), 0);
	srandom(after);
	copy_file(reloaded.config, fresh.config);
	snprintf(from, sizeof(from), "%s", drop_in(&reloaded));
	copy_file(from, drop_in(&fresh));
}

/* --- comparing --- */

/* From `begin` on, with the state directory of the fresh one named as that of the other. */
static char *part(char *json, const char *begin)
{
	char *at = strstr(json, begin), *found;

	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(strlen(fresh.directory), strlen(reloaded.directory));
	for (found = at; (found = strstr(found, fresh.directory)); found++)
		memcpy(found, reloaded.directory, strlen(reloaded.directory));
	return at;
}

static void check_same_json(char *(*make)(const struct rtreg_snapshot *), const char *begin)
{
	const struct rtreg_snapshot *first = rtreg_pin(registry), *second = rtreg_pin(other);
	char *ours = make(first), *theirs = make(second);

	if (strcmp(part(ours, begin), part(theirs, begin)) != 0) {
		fprintf(stderr, "RTREG_SEED=%lu\n%s\n%s\n", seed, ours, theirs);
		ck_abort_msg("another configuration; the seed and both are above");
	}
	free(ours);
	free(theirs);
	rtreg_unpin(first);
	rtreg_unpin(second);
}

static void check_script(const struct rtreg_runtime *ours, const struct rtreg_runtime *theirs)
{
	char one[8192], two[8192];
	FILE *first = fopen(ours->wrapper, "re"), *second = fopen(theirs->wrapper, "re");
	size_t length;

	ck_assert_msg(first && second, "RTREG_SEED=%lu: %s is missing", seed, ours->wrapper);
	length = fread(one, 1, sizeof(one), first);
	ck_assert_uint_eq(fread(two, 1, sizeof(two), second), length);
	ck_assert(memcmp(one, two, length) == 0);
	fclose(first);
	fclose(second);
}

static void check_same_runtimes(void)
{
	const struct rtreg_snapshot *first = rtreg_pin(registry), *second = rtreg_pin(other);
	size_t count = rtreg_snapshot_runtime_count(first);

	ck_assert_uint_eq(count, rtreg_snapshot_runtime_count(second));
	for (size_t i = 0; i < count; i++) {
		struct rtreg_runtime ours, theirs, resolved;

		ck_assert_int_eq(rtreg_snapshot_runtime(first, i, &ours, NULL), 0);
		ck_assert_int_eq(rtreg_snapshot_runtime(second, i, &theirs, NULL), 0);
		ck_assert_int_eq(rtreg_resolve(first, theirs.name, &resolved, NULL), 0);
		ck_assert_str_eq(resolved.name, theirs.name);
		ck_assert_msg(!ours.wrapper == !theirs.wrapper, "RTREG_SEED=%lu: %s", seed, ours.name);
		if (ours.wrapper)
			check_script(&ours, &theirs);
	}
	rtreg_unpin(first);
	rtreg_unpin(second);
}

START_TEST(rtreg_reload_random_files_is_as_if_just_opened)
{
	static const struct rtreg_flag flags[] = {{.name = "add-runtime", .value = "r3=/from/the/flag"}};

	reloaded.options.flags = fresh.options.flags = flags;
	reloaded.options.flag_count = fresh.options.flag_count = (size_t)_i;
	write_files();
	ck_assert_msg(rtreg_open(&reloaded.options, &registry, &error) == 0, "%s", error.message);
	for (int i = 0; i < RELOADS; i++) {
		write_files();
		ck_assert_msg(rtreg_reload(registry, NULL, 0, NULL, &error) == 0, "RTREG_SEED=%lu: %s", seed,
		              error.message);
		ck_assert_msg(rtreg_open(&fresh.options, &other, &error) == 0, "%s", error.message);
		check_same_json(rtreg_snapshot_json, "\"config\"");
		check_same_json(rtreg_snapshot_runtimes_json, "\"default\"");
		check_same_runtimes();
		rtreg_close(other);
		other = NULL;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload-same");
	TCase *tcase = tcase_create("rtreg_reload");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, rtreg_reload_random_files_is_as_if_just_opened, 0, 2);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
