/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a reload touches: files, counted by inotify, and processes, by what they leave behind. */
#include "flavor.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define RUNTIMES 100
#define WRITES   (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static int watch = -1;
static int state, scripts; /* of the watched directories */

/* Each start of the runtimes' binary leaves a byte in STARTS. */
static void write_binary(void)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/kata", sandbox.directory);
	file = fopen(path, "we");
	fprintf(file, "#!/bin/sh\nprintf x >>%s/starts\necho {}\n", sandbox.directory);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

static off_t starts(void)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/starts", sandbox.directory);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void write_configuration(int label, int count)
{
	FILE *file = fopen(sandbox.config, "we");

	fprintf(file, "{\"labels\":[\"number=%d\"],\"runtimes\":{", label);
	for (int i = 0; i < count; i++)
		fprintf(file, "%s\"kata-%d\":{\"path\":\"%s/kata\",\"runtimeArgs\":[\"--for=%d\"]}",
		        i ? "," : "", i, sandbox.directory, i);
	fputs("}}", file);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
	char path[256];

	sandbox_init(&sandbox);
	write_binary();
	write_configuration(0, RUNTIMES);
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
	watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	state = inotify_add_watch(watch, sandbox.state, WRITES);
	snprintf(path, sizeof(path), "%s/runtimes", sandbox.state);
	scripts = inotify_add_watch(watch, path, WRITES);
	ck_assert_int_ge(scripts, 0);
}

static void teardown(void)
{
	close(watch);
	rtreg_close(registry);
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

/* How often one of the events in `mask` was seen in the directory; the others are forgotten. */
static int count(int directory, uint32_t mask)
{
	_Alignas(struct inotify_event) char buffer[65536];
	ssize_t size = read(watch, buffer, sizeof(buffer));
	int seen = 0;

	for (char *at = buffer; size > 0 && at < buffer + size;) {
		const struct inotify_event *event = (const void *)at;

		seen += event->wd == directory && event->mask & mask;
		at += sizeof(*event) + event->len;
	}
	return seen;
}

static void reload(int label, int runtimes)
{
	struct rtreg_report *report;

	write_configuration(label, runtimes);
	ck_assert_msg(rtreg_reload(registry, NULL, 0, &report, &error) == 0, "%s", error.message);
	ck_assert(!rtreg_report_unchanged(report));
	rtreg_report_free(report);
}

START_TEST(rtreg_reload_one_label_changed_writes_no_file)
{
	reload(1, RUNTIMES);
	ck_assert_int_eq(count(state, WRITES), 0);
	reload(2, RUNTIMES);
	ck_assert_int_eq(count(scripts, WRITES), 0);
}
END_TEST

START_TEST(rtreg_reload_one_label_changed_starts_no_process)
{
	ck_assert_int_eq(starts(), 1);
	reload(1, RUNTIMES);
	ck_assert_int_eq(starts(), 1);
}
END_TEST

START_TEST(rtreg_reload_one_runtime_added_writes_one_file)
{
	reload(0, RUNTIMES + 1);
	ck_assert_int_eq(count(scripts, IN_CREATE | IN_MOVED_TO), 1);
	reload(0, RUNTIMES + 2);
	ck_assert_int_eq(count(state, WRITES), 0);
	ck_assert_int_eq(starts(), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload-files");
	TCase *tcase = tcase_create("rtreg_reload");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, rtreg_reload_one_label_changed_writes_no_file);
	tcase_add_test(tcase, rtreg_reload_one_label_changed_starts_no_process);
	tcase_add_test(tcase, rtreg_reload_one_runtime_added_writes_one_file);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
