/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the engine --- */

static int give_back(void *context, struct rtreg_error *error)
{
	(void)error;
	((struct world *)context)->held--;
	return 0;
}

static int hold(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)error;
	((struct world *)context)->held++;
	rtreg_txn_on_commit(txn, give_back, context);
	rtreg_txn_on_rollback(txn, give_back, context);
	return 0;
}

static int hold_or_fail(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	struct world *world = context;

	return world->second_step_fails ? STEP_CODE : hold(txn, context, error);
}

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	sandbox_init(&world->sandbox);
	world->steps[0] = (struct rtreg_step){.name = "first", .prepare = hold, .context = world};
	world->steps[1] = (struct rtreg_step){.name = "second", .prepare = hold_or_fail, .context = world};
	world->sandbox.options.steps = world->steps;
	world->sandbox.options.step_count = 2;
}

void world_fini(struct world *world)
{
	rtreg_close(world->registry);
	world->registry = NULL;
	rtreg_error_fini(&world->error);
	sandbox_fini(&world->sandbox);
}

/* --- operations --- */

void world_prepare(struct world *world, unsigned long number)
{
	const char *directory = world->sandbox.directory;
	char path[128], script[128];
	int fd, length;

	snprintf(path, sizeof(path), "%s/probed", directory);
	length = snprintf(script, sizeof(script), "#!/bin/sh\necho '{\"n\":%lu}'\n", number);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, script, (size_t)length), length);
	close(fd);
	snprintf(world->text, sizeof(world->text),
	         "{\"labels\":[\"n=%lu\"],\"log-opts\":{\"token\":\"t%lu\",\"tag\":\"x\"},\"deprecated-key-"
	         "path\":\"%lu\","
	         "\"insecure-registries\":[\"http://10.0.0.0/8\",\"host:5000\"],"
	         "\"registry-mirrors\":[\"https://m%lu\"],\"default-runtime\":\"a\",\"runtimes\":{"
	         "\"a\":{\"path\":\"%s\",\"runtimeArgs\":[\"--a=%lu\"]},"
	         "\"b\":{\"path\":\"/opt/b\",\"runtimeArgs\":[\"--b=%lu\"]},"
	         "\"c\":{\"path\":\"/opt/c\",\"runtimeArgs\":[\"--c=%lu\"]},"
	         "\"typed\":{\"runtimeType\":\"io.x.v1\",\"options\":{\"n\":%lu,\"f\":1.5}}}}",
	         number, number, number, number, path, number, number, number, number);
	sandbox_write(&world->sandbox, "%s", world->text);
}

int world_open(struct world *world)
{
	return rtreg_open(&world->sandbox.options, &world->registry, &world->error);
}

int world_reload(struct world *world)
{
	struct rtreg_source source = {.bytes = world->text, .size = strlen(world->text)};
	struct rtreg_report *report = NULL;
	int r = rtreg_reload(world->registry, &source, 0, &report, &world->error);

	rtreg_report_free(report);
	return r;
}

/* --- pictures --- */

static int no_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The names in STATE/runtimes, one a line; "" if there is no such directory. */
static char *list_scripts(const struct world *world)
{
	struct dirent **entries = NULL;
	char path[192], *names = strdup("");
	int count;

	snprintf(path, sizeof(path), "%s/runtimes", world->sandbox.state);
	count = scandir(path, &entries, no_dots, alphasort);
	for (int i = 0; i < count; i++) {
		char *longer;

		ck_assert_int_ge(asprintf(&longer, "%s%s\n", names, entries[i]->d_name), 0);
		free(names);
		free(entries[i]);
		names = longer;
	}
	free(entries);
	return names;
}

void picture_take(struct picture *picture, const struct world *world)
{
	const struct rtreg_snapshot *snapshot;

	*picture = (struct picture){.scripts = list_scripts(world)};
	if (!world->registry)
		return;
	snapshot = rtreg_pin(world->registry);
	picture->generation = rtreg_snapshot_generation(snapshot);
	picture->config = rtreg_snapshot_json(snapshot);
	picture->runtimes = rtreg_snapshot_runtimes_json(snapshot);
	rtreg_unpin(snapshot);
}

void picture_fini(struct picture *picture)
{
	free(picture->config);
	free(picture->runtimes);
	free(picture->scripts);
}

void picture_assert_same(const struct picture *before, const struct world *world)
{
	struct picture after;

	picture_take(&after, world);
	ck_assert_uint_eq(after.generation, before->generation);
	ck_assert_pstr_eq(after.config, before->config);
	ck_assert_pstr_eq(after.runtimes, before->runtimes);
	ck_assert_str_eq(after.scripts, before->scripts);
	picture_fini(&after);
}

/* --- soundness --- */

static void assert_whole(const char *path)
{
	static const char end[] = " \"$@\"\n";
	char content[512];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	length = read(fd, content, sizeof(content));
	ck_assert_int_eq(fstat(fd, &st), 0);
	close(fd);
	ck_assert_msg(length > (ssize_t)sizeof(end) &&
	                      memcmp(content + length - (sizeof(end) - 1), end, sizeof(end) - 1) == 0,
	              "%s is not whole", path);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}

void world_assert_sound(const struct world *world)
{
	char *scripts = list_scripts(world);
	const struct rtreg_snapshot *snapshot;
	struct rtreg_runtime runtime;

	ck_assert_int_eq(world->held, 0);
	for (const char *name = scripts; *name; name = strchr(name, '\n') + 1)
		ck_assert_msg(*name != '.', "left over: %s", name);
	free(scripts);
	if (!world->registry)
		return;
	snapshot = rtreg_pin(world->registry);
	for (size_t i = 0; rtreg_snapshot_runtime(snapshot, i, &runtime, NULL) == 0; i++)
		if (runtime.wrapper)
			assert_whole(runtime.wrapper);
	rtreg_unpin(snapshot);
}

void world_assert_works(struct world *world)
{
	bool fails = world->second_step_fails;
	int r;

	world->second_step_fails = false;
	r = world->registry ? world_reload(world) : world_open(world);
	ck_assert_msg(r == 0, "without faults: %s", world->error.message);
	world_assert_sound(world);
	world->second_step_fails = fails;
}
