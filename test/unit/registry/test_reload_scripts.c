/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every wrapper script that was ever live is put right by the next reload, whoever knows what was in it. */
#include "flavor.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define SCRIPTS_MAX 16

struct seen {
	char name[256], content[512];
};

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static struct seen seen[SCRIPTS_MAX];
static size_t seen_count;
static int directory = -1;
static bool step_fails;

static int step(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)txn;
	(void)context;
	snprintf(ret_error->message, sizeof(ret_error->message), "no");
	return step_fails ? -EIO : 0;
}

static void open_registry(const char *config)
{
	static const struct rtreg_step steps[] = {{.name = "step", .prepare = step}};
	char path[256];

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "%s", config);
	sandbox.options.steps = steps;
	sandbox.options.step_count = 1;
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
	snprintf(path, sizeof(path), "%s/runtimes", sandbox.state);
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(directory, 0);
}

static void teardown(void)
{
	close(directory);
	rtreg_close(registry);
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static int reload(const char *config)
{
	struct rtreg_source source = {.bytes = config, .size = strlen(config)};

	return rtreg_reload(registry, &source, 0, NULL, &error);
}

/* Without the NUL behind it; the content's length, or -1. */
static ssize_t read_script(const char *name, char content[512])
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, content, 511);

	if (fd >= 0)
		close(fd);
	content[length < 0 ? 0 : length] = '\0';
	return length;
}

/* Remembers the scripts that there are now, those that were seen before too. */
static void see(size_t expected)
{
	DIR *dir = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	seen_count = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		ck_assert_uint_lt(seen_count, SCRIPTS_MAX);
		strcpy(seen[seen_count].name, entry->d_name);
		ck_assert_int_gt(read_script(entry->d_name, seen[seen_count++].content), 0);
	}
	closedir(dir);
	ck_assert_uint_eq(seen_count, expected);
}

static void damage(const struct seen *script, int how)
{
	int fd;

	ck_assert_int_eq(unlinkat(directory, script->name, 0), 0);
	if (how == 0)
		return;
	fd = openat(directory, script->name, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	/* As long as it was, or cut off. */
	ck_assert_int_ge(write(fd, "################", 16), 0);
	ck_assert_int_eq(ftruncate(fd, how == 1 ? (off_t)strlen(script->content) : 3), 0);
	close(fd);
}

static void damage_all(int how)
{
	for (size_t i = 0; i < seen_count; i++)
		damage(&seen[i], how);
}

static void check_all(void)
{
	for (size_t i = 0; i < seen_count; i++) {
		char content[512];

		ck_assert_msg(read_script(seen[i].name, content) > 0, "%s is missing", seen[i].name);
		ck_assert_str_eq(content, seen[i].content);
		ck_assert_int_eq(faccessat(directory, seen[i].name, X_OK, 0), 0);
	}
}

#define RUNTIMES(...) "{\"runtimes\":{" __VA_ARGS__ "}}"
#define RUNTIME(name, argument) \
	"\"" name "\":{\"path\":\"/no/" name "\",\"runtimeArgs\":[\"" argument "\",\"it's\"]}"

static const char first[] = RUNTIMES(RUNTIME("a", "1") "," RUNTIME("b b", "1") "," RUNTIME("c", "1"));
static const char second[] = RUNTIMES(RUNTIME("b b", "2") "," RUNTIME("c", "1") "," RUNTIME("d", "1"));

START_TEST(reload_puts_scripts_of_the_live_configuration_right)
{
	open_registry(first);
	see(3);
	damage_all(_i);
	ck_assert_int_eq(reload(first), 0);
	check_all();
}
END_TEST

START_TEST(reload_puts_scripts_of_superseded_configurations_right)
{
	open_registry(first);
	ck_assert_int_eq(reload(second), 0);
	see(5);
	damage_all(_i);
	ck_assert_int_eq(reload(second), 0);
	check_all();
	ck_assert_int_eq(reload("{}"), 0);
	damage_all(_i);
	ck_assert_int_eq(reload("{}"), 0);
	check_all();
}
END_TEST

START_TEST(reload_puts_scripts_right_that_come_and_go)
{
	open_registry(first);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(reload(i % 2 ? first : second), 0);
		see(5);
		damage_all(_i);
	}
	ck_assert_int_eq(reload(first), 0);
	check_all();
}
END_TEST

START_TEST(reload_behind_one_that_was_rolled_back_puts_scripts_right)
{
	open_registry(first);
	see(3);
	step_fails = true;
	ck_assert_int_eq(reload(second), -EIO);
	step_fails = false;
	see(3);
	damage_all(_i);
	ck_assert_int_eq(reload("{}"), 0);
	check_all();
	damage_all(_i);
	ck_assert_int_eq(reload("{}"), 0);
	check_all();
}
END_TEST

/* One that was in place already is the rolled back configuration's alone: nobody looks after it then. */
START_TEST(reload_behind_one_that_was_rolled_back_forgets_adopted_scripts)
{
	open_registry(second);
	see(3);
	rtreg_close(registry);
	sandbox_write(&sandbox, "{}");
	registry = NULL;
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
	for (size_t i = 0; i < seen_count; i++) {
		int fd = openat(directory, seen[i].name, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

		ck_assert_int_gt(write(fd, seen[i].content, strlen(seen[i].content)), 0);
		close(fd);
	}
	step_fails = true;
	ck_assert_int_eq(reload(second), -EIO);
	damage_all(0);
	step_fails = false;
	ck_assert_msg(reload("{\"debug\":true}") == 0, "%s", error.message);
	see(0);
}
END_TEST

#define RANDOM_RUNTIMES 5
#define RANDOM_STEPS    40

/* Each runtime is left out, or has one of two scripts; those of reloads that were not rolled back are `ever`. */
static void make_random_config(char ret[1024], bool ever[RANDOM_RUNTIMES][2])
{
	const char *separator = "";
	char *at = ret + sprintf(ret, "{\"runtimes\":{");

	for (int i = 0; i < RANDOM_RUNTIMES; i++) {
		int which = (int)(random() % 3);

		if (which == 2)
			continue;
		at += sprintf(at, "%s\"r%d\":{\"path\":\"/no/r\",\"runtimeArgs\":[\"%d\"]}", separator, i,
		              which);
		separator = ",";
		ever[i][which] |= !step_fails;
	}
	strcpy(at, "}}");
}

static size_t count_ever(bool ever[RANDOM_RUNTIMES][2])
{
	size_t count = 0;

	for (int i = 0; i < RANDOM_RUNTIMES; i++)
		count += (size_t)ever[i][0] + ever[i][1];
	return count;
}

/* Reloads that come, go, return and are rolled back in any order, with damage to any scripts between them. */
START_TEST(reload_puts_all_scripts_right_that_were_ever_live)
{
	bool ever[RANDOM_RUNTIMES][2] = {0};
	char config[1024];

	srandom((unsigned)_i);
	open_registry("{}");
	for (int n = 0; n < RANDOM_STEPS; n++) {
		int r;

		for (size_t i = 0; i < seen_count; i++)
			if (random() % 3 == 0)
				damage(&seen[i], (int)(random() % 3));
		step_fails = random() % 4 == 0;
		make_random_config(config, ever);
		r = reload(config);
		/* A configuration that is live already runs no step. */
		ck_assert_msg(r == 0 || (step_fails && r == -EIO && strstr(error.message, "no")),
		              "seed %d, step %d: %s", _i, n, error.message);
		check_all();
		see(count_ever(ever));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload_scripts");
	TCase *tcase = tcase_create("reload_scripts");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, reload_puts_scripts_of_the_live_configuration_right, 0, 3);
	tcase_add_loop_test(tcase, reload_puts_scripts_of_superseded_configurations_right, 0, 3);
	tcase_add_loop_test(tcase, reload_puts_scripts_right_that_come_and_go, 0, 3);
	tcase_add_loop_test(tcase, reload_behind_one_that_was_rolled_back_puts_scripts_right, 0, 3);
	tcase_add_test(tcase, reload_behind_one_that_was_rolled_back_forgets_adopted_scripts);
	tcase_add_loop_test(tcase, reload_puts_all_scripts_right_that_were_ever_live, 1, 6);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
