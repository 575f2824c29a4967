/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lock-ins as files: what is there is read, whatever it is; what is made is whole, durable and never written again.
 * The program's own fsync(), openat(), linkat() and renameat() take the C library's place, note the order of what
 * is done, and fail as a test asks them to.
 */
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "lockins/lockins_support.h"

/* --- what the system does --- */

/* One letter a call: w opened for writing, f file synced, d directory synced, r renamed, l linked. */
static char calls[64];
static bool no_tmpfile, no_proc_links, no_links;
static int failing_sync; /* which one fails; 0: none */

static void note(char call)
{
	size_t length = strlen(calls);

	if (length + 1 < sizeof(calls))
		calls[length] = call;
}

int fsync(int fd)
{
	struct stat st;

	fstat(fd, &st);
	note(S_ISDIR(st.st_mode) ? 'd' : 'f');
	if (failing_sync > 0 && --failing_sync == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int openat(int directory_fd, const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if ((flags & O_TMPFILE) == O_TMPFILE && no_tmpfile) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (flags & O_WRONLY)
		note('w');
	return (int)syscall(SYS_openat, directory_fd, path, flags, mode);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	bool unnamed = flags & (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH);

	if ((no_links && unnamed) || (no_proc_links && (flags & AT_SYMLINK_FOLLOW))) {
		errno = no_links ? EPERM : ENOENT;
		return -1;
	}
	note('l');
	return (int)syscall(SYS_linkat, from, old, to, new, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	note('r');
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

static void setup(void)
{
	lockins_setup();
	memset(calls, 0, sizeof(calls));
	no_tmpfile = no_proc_links = no_links = false;
	failing_sync = 0;
}

static size_t count_in(const char *path)
{
	DIR *directory = opendir(temporary_path(path));
	size_t count = 0;

	ck_assert_ptr_nonnull(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

/* --- making --- */

START_TEST(lockins_create_makes_a_file_of_one_line_that_is_read_back)
{
	struct stat st;
	char line[512];
	FILE *file;

	must(create(&web, "t1"));
	ck_assert_str_eq(locked_at(&web), "t1");
	ck_assert_int_eq(stat(temporary_path("lock-ins/_/web"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(temporary_path("lock-ins/_"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(temporary_path("lock-ins"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	file = fopen(temporary_path("lock-ins/_/web"), "re");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	ck_assert_int_eq(fgetc(file), EOF);
	fclose(file);
	ck_assert_mem_eq(line, found.json, strlen(found.json));
	ck_assert_str_eq(line + strlen(found.json), "\n");
}
END_TEST

START_TEST(lockins_create_leaves_the_first)
{
	must(create(&web, "t1"));
	ck_assert_int_eq(create(&web, "t2"), -EEXIST);
	ck_assert_str_eq(locked_at(&web), "t1");
	ck_assert_uint_eq(count_in("lock-ins/_"), 1);
}
END_TEST

START_TEST(lockins_create_keeps_roots_apart)
{
	struct lock_in_name other;

	ck_assert_int_eq(lock_in_name_init(&other, "/run/x", "web", NULL), 0);
	must(create(&web, "t1"));
	must(create(&other, "t2"));
	ck_assert_str_eq(locked_at(&web), "t1");
	ck_assert_str_eq(locked_at(&other), "t2");
	ck_assert_str_eq(found.root, "/run/x");
}
END_TEST

/* Directories first, each before what is in it; the content before the name; the name before the return. */
START_TEST(lockins_create_is_durable_step_by_step)
{
	must(create(&web, "t1"));
	ck_assert_str_eq(calls, "ddwfld");
	memset(calls, 0, sizeof(calls));
	no_tmpfile = true;
	ck_assert_int_eq(lock_in_name_init(&web, NULL, "db", NULL), 0);
	must(create(&web, "t1"));
	ck_assert_str_eq(calls, "wfld");
}
END_TEST

START_TEST(lockins_create_for_a_boot_syncs_directories_alone)
{
	must(create_for_boot(&web, "t1"));
	ck_assert_str_eq(calls, "ddwl");
	ck_assert_str_eq(locked_at(&web), "t1");
	ck_assert_str_eq(found.boot_id, BOOT);
}
END_TEST

static void set_system(int kind)
{
	no_tmpfile = kind == 1;
	no_proc_links = kind == 2;
	no_links = kind == 3;
}

START_TEST(lockins_create_works_without_tmpfile_proc_or_unnamed_links)
{
	set_system(_i);
	must(create(&web, "t1"));
	ck_assert_str_eq(locked_at(&web), "t1");
	ck_assert_int_eq(create(&web, "t2"), -EEXIST);
	ck_assert_str_eq(locked_at(&web), "t1");
	ck_assert_uint_eq(count_in("lock-ins/_"), 1);
}
END_TEST

START_TEST(lockins_create_that_cannot_be_made_durable_leaves_nothing)
{
	for (int n = 1; n <= 4; n++) {
		failing_sync = n;
		ck_assert_int_eq(create(&web, "t1"), -EIO);
		ck_assert_ptr_nonnull(strstr(error.message, temporary));
		ck_assert_str_eq(locked_at(&web), "");
		if (n == 1)
			ck_assert_int_lt(access(temporary_path("lock-ins"), F_OK), 0);
		else
			rmdir(temporary_path("lock-ins/_"));
		if (n == 2)
			ck_assert_uint_eq(count_in("lock-ins"), 0);
		rmdir(temporary_path("lock-ins"));
	}
	failing_sync = 5;
	must(create(&web, "t1"));
	ck_assert_int_eq(failing_sync, 1);
}
END_TEST

START_TEST(lockins_create_of_what_is_too_large_is_refused)
{
	char *options = malloc(LOCK_IN_SIZE_MAX + 1);
	struct rtreg_lock_in lock_in = lock_in_of(&web, "t1");

	memset(options, 'x', LOCK_IN_SIZE_MAX);
	memcpy(options, "{\"a\":\"", 6);
	strcpy(options + LOCK_IN_SIZE_MAX - 2, "\"}");
	lock_in.options_json = options;
	ck_assert_int_eq(lockins_create(&lockins, &web, &lock_in, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "too large"));
	ck_assert_int_lt(access(temporary_path("lock-ins"), F_OK), 0);
	free(options);
}
END_TEST

/* --- reading --- */

START_TEST(lockins_read_of_none_says_so)
{
	ck_assert_int_eq(lockins_read(&lockins, &web, &found, NULL, &error), -ESRCH);
	ck_assert_str_eq(error.message, "container web is not locked in");
	ck_assert_int_eq(lock_in_name_init(&web, "/x", "web", NULL), 0);
	ck_assert_int_eq(lockins_read(&lockins, &web, &found, NULL, &error), -ESRCH);
	ck_assert_str_eq(error.message, "container web is not locked in with root /x");
	ck_assert_int_lt(access(temporary_path("lock-ins"), F_OK), 0);
}
END_TEST

static void plant_nothing(const char *path)
{
	unlink(path);
}

static void plant_half(const char *path)
{
	ck_assert_int_eq(truncate(path, 20), 0);
}

static void plant_empty(const char *path)
{
	ck_assert_int_eq(truncate(path, 0), 0);
}

static void plant_link(const char *path)
{
	plant_nothing(path);
	ck_assert_int_eq(symlink("db", path), 0);
}

static void plant_directory(const char *path)
{
	plant_nothing(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void plant_fifo(const char *path)
{
	plant_nothing(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void plant_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	plant_nothing(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void plant_gigabyte(const char *path)
{
	ck_assert_int_eq(truncate(path, (off_t)1 << 30), 0);
}

/* The file of another container, of another root: a copy under this name is not this one's. */
static void plant_another(const char *path)
{
	struct lock_in_name other;

	plant_nothing(path);
	ck_assert_int_eq(lock_in_name_init(&other, NULL, "db", NULL), 0);
	must(create(&other, "t3"));
	ck_assert_int_eq(link(temporary_path("lock-ins/_/db"), path), 0);
}

static void plant_other_root(const char *path)
{
	struct lock_in_name other;
	char from[160];

	plant_nothing(path);
	ck_assert_int_eq(lock_in_name_init(&other, "/x", "web", NULL), 0);
	must(create(&other, "t3"));
	snprintf(from, sizeof(from), "lock-ins/%s/web", other.directory);
	ck_assert_int_eq(link(temporary_path(from), path), 0);
}

static void plant_writable_by_all(const char *path)
{
	ck_assert_int_eq(chmod(path, 0602), 0);
}

static void plant_writable_by_a_group(const char *path)
{
	ck_assert_int_eq(chmod(path, 0620), 0);
}

/* Only root can give a file away; others are not told apart then. */
static void plant_another_users(const char *path)
{
	if (chown(path, 12345, 12345) < 0)
		plant_writable_by_all(path);
}

static const struct {
	void (*plant)(const char *path);
	bool directory;
} strangers[] = {
        {plant_half, false},
        {plant_empty, false},
        {plant_link, false},
        {plant_directory, true},
        {plant_fifo, false},
        {plant_socket, false},
        {plant_gigabyte, false},
        {plant_another, false},
        {plant_other_root, false},
        {plant_writable_by_all, false},
        {plant_writable_by_a_group, false},
        {plant_another_users, false},
};
#define STRANGERS ((int)ARRAY_SIZE(strangers))

START_TEST(lockins_read_of_what_is_none_names_the_file)
{
	const char *path;

	must(create(&web, "t1"));
	path = temporary_path("lock-ins/_/web");
	strangers[_i].plant(path);
	ck_assert_int_eq(lockins_read(&lockins, &web, &found, NULL, &error), -EBADMSG);
	ck_assert_msg(strstr(error.message, path), "%s", error.message);
	ck_assert_ptr_nonnull(strstr(error.message, "remove it"));
	ck_assert_int_eq(create(&web, "t2"), -EEXIST);
}
END_TEST

START_TEST(lockins_remove_of_what_is_none_removes_it)
{
	must(create(&web, "t1"));
	strangers[_i].plant(temporary_path("lock-ins/_/web"));
	/* Not if one is meant. */
	ck_assert_int_eq(lockins_remove(&lockins, &web, "t1", NULL), -EBADMSG);
	if (strangers[_i].directory) {
		ck_assert_int_eq(lockins_remove(&lockins, &web, NULL, &error), -EIO);
		ck_assert_ptr_nonnull(strstr(error.message, "move the directory away"));
		return;
	}
	must(lockins_remove(&lockins, &web, NULL, &error));
	ck_assert_int_eq(lockins_remove(&lockins, &web, NULL, NULL), -ESRCH);
	must(create(&web, "t2"));
}
END_TEST

START_TEST(lockins_read_does_not_follow_a_link_for_a_root)
{
	must(create(&web, "t1"));
	ck_assert_int_eq(rename(temporary_path("lock-ins/_"), temporary_path("away")), 0);
	ck_assert_int_eq(symlink("../away", temporary_path("lock-ins/_")), 0);
	ck_assert_int_eq(lockins_read(&lockins, &web, &found, NULL, &error), -EIO);
	ck_assert_int_eq(create(&web, "t2"), -EIO);
}
END_TEST

START_TEST(lockins_do_not_follow_a_link_for_all_of_them)
{
	static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	_cleanup_problems_ struct problems problems = {0};
	struct script script;
	char name[128], path[128];
	bool kept;

	must(create(&web, "t1"));
	ck_assert_int_eq(mkdir(temporary_path("lock-ins/scripts"), 0700), 0);
	snprintf(path, sizeof(path), "lock-ins/scripts/%s", digest);
	write_file(path, "x", 0600);
	ck_assert_int_eq(rename(temporary_path("lock-ins"), temporary_path("away")), 0);
	ck_assert_int_eq(symlink("away", temporary_path("lock-ins")), 0);
	ck_assert_int_eq(lockins_read(&lockins, &web, &found, NULL, &error), -EIO);
	ck_assert_int_eq(lockins_remove(&lockins, &web, NULL, &error), -EIO);
	ck_assert_int_eq(create(&web, "t2"), -EIO);
	snprintf(name, sizeof(name), "r.%s", digest);
	ck_assert_int_eq(lockins_read_script(&lockins, name, NULL, &script, &kept, NULL), -EIO);
	lockins_sweep_scripts(&lockins, false, NULL, 0, &problems);
	ck_assert_uint_eq(problems.warnings.count, 1);
	ck_assert_uint_eq(count_in("away/_"), 1);
	ck_assert_uint_eq(count_in("away/scripts"), 1);
}
END_TEST

/* --- the default runtime --- */

START_TEST(lockins_default_runtime_reads_what_is_there)
{
	ck_assert_int_eq(lockins_default_runtime(&lockins, &found, &error), -ESRCH);
	ck_assert_ptr_nonnull(strstr(error.message, "default-runtime"));
	write_file("default-runtime",
	           "{\"runtime\":\"r\",\"shim\":\"s\",\"options\":null,\"binary\":\"/b\"}\n", 0600);
	must(lockins_default_runtime(&lockins, &found, &error));
	ck_assert_str_eq(found.binary, "/b");
	rtreg_lock_in_fini(&found);
	write_file("default-runtime", "{\"runtime\":\"r\"", 0600);
	ck_assert_int_eq(lockins_default_runtime(&lockins, &found, &error), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(error.message, "damaged"));
	write_file("default-runtime", "{\"runtime\":\"r\",\"shim\":\"s\"}\n", 0600);
	ck_assert_int_eq(chmod(temporary_path("default-runtime"), 0622), 0);
	ck_assert_int_eq(lockins_default_runtime(&lockins, &found, &error), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(error.message, "others may write to it"));
}
END_TEST

/* --- scripts --- */

static struct script script;

static void make_script(const char *runtime)
{
	const char *const args[] = {"--for", runtime};

	script_fini(&script);
	ck_assert_int_eq(script_init(&script, runtime, "/bin/true", args, 2), 0);
}

static const char *kept_path(void)
{
	char path[128];

	snprintf(path, sizeof(path), "lock-ins/scripts/%s",
	         script.name + strlen(script.name) - DIGEST_LENGTH);
	return temporary_path(path);
}

static void assert_kept(void)
{
	struct script read;
	bool kept = false;

	must(lockins_read_script(&lockins, script.name, NULL, &read, &kept, &error));
	ck_assert(kept);
	ck_assert_str_eq(read.content, script.content);
	ck_assert_str_eq(read.name, script.name);
	script_fini(&read);
}

/* Directories, content, name: each before the next. */
START_TEST(lockins_keep_script_is_durable_and_done_once)
{
	make_script("a");
	must(lockins_keep_script(&lockins, &script, &error));
	ck_assert_str_eq(calls, "ddwfrd");
	assert_kept();
	memset(calls, 0, sizeof(calls));
	must(lockins_keep_script(&lockins, &script, &error));
	ck_assert_str_eq(calls, "");
	script_fini(&script);
}
END_TEST

START_TEST(lockins_keep_script_puts_a_damaged_one_right)
{
	make_script("a");
	must(lockins_keep_script(&lockins, &script, &error));
	if (_i == 0)
		ck_assert_int_eq(truncate(kept_path(), 5), 0);
	else
		unlink(kept_path());
	if (_i == 2)
		ck_assert_int_eq(symlink("/dev/zero", kept_path()), 0);
	must(lockins_keep_script(&lockins, &script, &error));
	assert_kept();
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 1);
	script_fini(&script);
}
END_TEST

START_TEST(lockins_keep_script_that_cannot_be_made_durable_keeps_nothing)
{
	make_script("a");
	failing_sync = 4;
	ck_assert_int_eq(lockins_keep_script(&lockins, &script, &error), -EIO);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 0);
	must(lockins_keep_script(&lockins, &script, &error));
	assert_kept();
	script_fini(&script);
}
END_TEST

START_TEST(lockins_read_script_proves_it)
{
	struct script read = {0};
	bool kept = true;
	char path[512];

	make_script("a");
	must(lockins_keep_script(&lockins, &script, &error));
	ck_assert_int_eq(truncate(kept_path(), 5), 0);
	ck_assert_int_eq(lockins_read_script(&lockins, script.name, NULL, &read, &kept, &error), -EBADMSG);
	/* Where it is executed it may still be right. */
	ck_assert_int_eq(mkdir(temporary_path("runtimes"), 0700), 0);
	snprintf(path, sizeof(path), "runtimes/%s", script.name);
	write_file(path, script.content, 0700);
	must(lockins_read_script(&lockins, script.name, "runtimes", &read, &kept, &error));
	ck_assert(!kept);
	script_fini(&read);
	write_file(path, "#!/bin/sh\n", 0700);
	ck_assert_int_eq(lockins_read_script(&lockins, script.name, "runtimes", &read, &kept, &error),
	                 -EBADMSG);
	script_fini(&script);
}
END_TEST

static const char *const no_scripts[] = {
        "",
        "a",
        ".",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ".0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "../.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "a.0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"};

START_TEST(lockins_read_script_refuses_what_is_no_scripts_name)
{
	struct script read;
	bool kept;

	ck_assert_int_eq(lockins_read_script(&lockins, no_scripts[_i], "runtimes", &read, &kept, &error),
	                 -EBADMSG);
	ck_assert_ptr_nonnull(strstr(error.message, "no wrapper script's name"));
}
END_TEST

START_TEST(lockins_sweep_scripts_leaves_those_that_are_named)
{
	struct problems problems = {0};
	char digest[DIGEST_LENGTH + 1];
	const char *digests[] = {digest};

	make_script("a");
	must(lockins_keep_script(&lockins, &script, &error));
	strcpy(digest, script.name + strlen(script.name) - DIGEST_LENGTH);
	make_script("b");
	must(lockins_keep_script(&lockins, &script, &error));
	write_file("lock-ins/scripts/.tmp.1", "", 0600);
	lockins_sweep_scripts(&lockins, true, NULL, 0, &problems);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 2);
	lockins_sweep_scripts(&lockins, false, digests, 1, &problems);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 1);
	make_script("a");
	assert_kept();
	lockins_sweep_scripts(&lockins, false, NULL, 0, &problems);
	ck_assert_uint_eq(count_in("lock-ins/scripts"), 0);
	ck_assert_uint_eq(problems.warnings.count, 0);
	problems_fini(&problems);
	script_fini(&script);
}
END_TEST

/* --- opening --- */

START_TEST(lockins_open_refuses_what_others_may_write_to)
{
	struct lockins other;

	ck_assert_int_eq(chmod(temporary, 0720), 0);
	ck_assert_int_eq(lockins_open(&other, temporary, &error), -EPERM);
	ck_assert_ptr_nonnull(strstr(error.message, "not to be trusted"));
	ck_assert_int_eq(chmod(temporary, 0755), 0);
	must(lockins_open(&other, temporary, &error));
	lockins_fini(&other);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(temporary, 12345, (gid_t)-1), 0);
		ck_assert_int_eq(lockins_open(&other, temporary, &error), -EPERM);
	}
}
END_TEST

START_TEST(lockins_open_of_nothing_says_so)
{
	struct lockins other;

	ck_assert_int_eq(lockins_open(&other, temporary_path("none"), &error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.message, "/none"));
}
END_TEST

START_TEST(lockins_on_a_read_only_file_system_are_read)
{
	struct lockins read_only;
	char path[128];
	size_t count;
	int fd;

	must(create(&web, "t1"));
	snprintf(path, sizeof(path), "%s", temporary_path("."));
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, path, NULL, MS_BIND, NULL) < 0)
		skip("mount is not permitted here");
	ck_assert_int_eq(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	must(lockins_open(&read_only, path, &error));
	must(lockins_read(&read_only, &web, &found, &fd, &error));
	close(fd);
	must(lockins_count(&read_only, &count, &error));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(lockins_remove(&read_only, &web, NULL, &error), -EROFS);
	ck_assert_ptr_nonnull(strstr(error.message, "remount"));
	ck_assert_int_eq(lock_in_name_init(&web, NULL, "db", NULL), 0);
	{
		struct rtreg_lock_in lock_in = lock_in_of(&web, "t1");

		ck_assert_int_eq(lockins_create(&read_only, &web, &lock_in, &error), -EROFS);
	}
	lockins_fini(&read_only);
	ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
}
END_TEST

static TCase *make_case(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, lockins_teardown);
	return tcase;
}

static TCase *make_files_case(void)
{
	TCase *tcase = make_case("files");

	tcase_add_test(tcase, lockins_create_makes_a_file_of_one_line_that_is_read_back);
	tcase_add_test(tcase, lockins_create_leaves_the_first);
	tcase_add_test(tcase, lockins_create_keeps_roots_apart);
	tcase_add_test(tcase, lockins_create_is_durable_step_by_step);
	tcase_add_test(tcase, lockins_create_for_a_boot_syncs_directories_alone);
	tcase_add_loop_test(tcase, lockins_create_works_without_tmpfile_proc_or_unnamed_links, 0, 4);
	tcase_add_test(tcase, lockins_create_that_cannot_be_made_durable_leaves_nothing);
	tcase_add_test(tcase, lockins_create_of_what_is_too_large_is_refused);
	tcase_add_test(tcase, lockins_read_of_none_says_so);
	tcase_add_loop_test(tcase, lockins_read_of_what_is_none_names_the_file, 0, STRANGERS);
	tcase_add_loop_test(tcase, lockins_remove_of_what_is_none_removes_it, 0, STRANGERS);
	tcase_add_test(tcase, lockins_read_does_not_follow_a_link_for_a_root);
	tcase_add_test(tcase, lockins_do_not_follow_a_link_for_all_of_them);
	return tcase;
}

static TCase *make_scripts_case(void)
{
	TCase *tcase = make_case("scripts");

	tcase_add_test(tcase, lockins_keep_script_is_durable_and_done_once);
	tcase_add_loop_test(tcase, lockins_keep_script_puts_a_damaged_one_right, 0, 3);
	tcase_add_test(tcase, lockins_keep_script_that_cannot_be_made_durable_keeps_nothing);
	tcase_add_test(tcase, lockins_read_script_proves_it);
	tcase_add_loop_test(tcase, lockins_read_script_refuses_what_is_no_scripts_name, 0,
	                    (int)ARRAY_SIZE(no_scripts));
	tcase_add_test(tcase, lockins_sweep_scripts_leaves_those_that_are_named);
	return tcase;
}

static TCase *make_directory_case(void)
{
	TCase *tcase = make_case("directory");

	tcase_add_test(tcase, lockins_default_runtime_reads_what_is_there);
	tcase_add_test(tcase, lockins_open_refuses_what_others_may_write_to);
	tcase_add_test(tcase, lockins_open_of_nothing_says_so);
	tcase_add_test(tcase, lockins_on_a_read_only_file_system_are_read);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lockins");

	suite_add_tcase(suite, make_files_case());
	suite_add_tcase(suite, make_scripts_case());
	suite_add_tcase(suite, make_directory_case());
	return unit_run(suite);
}
