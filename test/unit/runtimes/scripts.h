/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the script store share: a store in a temporary directory, and scripts to put there. */
#ifndef RTREG_TEST_SCRIPTS_H
#define RTREG_TEST_SCRIPTS_H

#include <dirent.h>
#include <sys/mount.h>

#include "runtimes/script_store.h"
#include "runtimes/temporary.h"

static struct script_store *store;
static struct problems problems;
static struct rtreg_error error;
static char directory[128];

static inline void scripts_setup(void)
{
	temporary_setup();
	snprintf(directory, sizeof(directory), "%s/runtimes", temporary);
	memset(&problems, 0, sizeof(problems));
	memset(&error, 0, sizeof(error));
	store = NULL;
}

static inline void scripts_teardown(void)
{
	script_store_free(store);
	umount2(directory, MNT_DETACH); /* where a test has mounted something there */
	problems_fini(&problems);
	rtreg_error_fini(&error);
	temporary_teardown();
}

static inline void open_store(void)
{
	int rc = script_store_new(directory, NULL, &store, &problems, &error);

	ck_assert_msg(rc == 0, "%s", error.message);
}

static inline void scripts_setup_open(void)
{
	scripts_setup();
	open_store();
}

/* DIR/runtimes/NAME */
static inline const char *script_path(const struct script *script)
{
	char name[300];

	snprintf(name, sizeof(name), "runtimes/%s", script->name);
	return temporary_path(name);
}

static inline struct script make_script(const char *runtime)
{
	const char *const args[] = {"--for", runtime};
	struct script script;

	ck_assert_int_eq(script_init(&script, runtime, "/usr/bin/kata", args, 2), 0);
	return script;
}

static inline struct script *make_scripts(size_t count)
{
	struct script *scripts = calloc(count, sizeof(*scripts));
	char name[32];

	ck_assert_ptr_nonnull(scripts);
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "r%zu", i);
		scripts[i] = make_script(name);
	}
	return scripts;
}

static inline void free_scripts(struct script *scripts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		script_fini(&scripts[i]);
	free(scripts);
}

static inline void keep(const struct script *scripts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(script_store_keep(store, &scripts[i]), 0);
}

static inline void add(const struct script *scripts, size_t count)
{
	int rc = script_store_add(store, scripts, count, NULL, &problems, &error);

	ck_assert_msg(rc == 0, "%s", error.message);
	keep(scripts, count);
}

static inline void repair(void)
{
	int rc = script_store_repair(store, NULL, &problems, &error);

	ck_assert_msg(rc == 0, "%s", error.message);
}

/* In place, ours, 0700, whole. */
static inline void check_right(const struct script *script)
{
	char *content = calloc(1, script->length + 2);
	struct stat st;
	int fd;

	ck_assert_msg(lstat(script_path(script), &st) == 0, "%s is missing", script->name);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_uint_eq(st.st_uid, geteuid());
	fd = open(script_path(script), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, content, script->length + 1), (ssize_t)script->length);
	close(fd);
	ck_assert_str_eq(content, script->content);
	free(content);
}

/* How many files are in the directory. */
static inline size_t count_files(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static inline void check_warnings(size_t count, const char *part)
{
	ck_assert_uint_eq(problems.warnings.count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strstr(problems.warnings.items[i].message, part), "%s",
		              problems.warnings.items[i].message);
}

/* Changes to another user in this process, which check has forked for the test. */
static inline bool become_nobody(void)
{
	return geteuid() == 0 && chown(temporary, 65534, 65534) == 0 && setresgid(65534, 65534, 65534) == 0 &&
	       setresuid(65534, 65534, 65534) == 0;
}

#endif
