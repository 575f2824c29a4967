/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading files: every kind of thing that a path can name ends, and with a clear message. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "bytes/source.h"
#include "unit.h"

static char folder[] = "/tmp/test_source.XXXXXX";
static char path[128];

static void setup(void)
{
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/daemon.json", folder);
}

static void teardown(void)
{
	remove(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void write_file(const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static void check_fails(const char *name, int code, const char *message)
{
	_cleanup_error_ struct rtreg_error error = {0};
	char *bytes = NULL;
	size_t size = 77;

	ck_assert_int_eq(source_read(name, &bytes, &size, &error), code);
	ck_assert_int_eq(error.code, code);
	ck_assert_str_eq(error.where, name);
	ck_assert_msg(strstr(error.message, name) && strstr(error.message, message), "message: %s",
	              error.message);
	ck_assert_ptr_null(bytes);
	ck_assert_uint_eq(size, 77);
}

START_TEST(source_read_regular_file_gives_its_bytes)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	write_file("{}\0\xff\n", 5);
	ck_assert_int_eq(source_read(path, &bytes, &size, NULL), 0);
	ck_assert_uint_eq(size, 5);
	ck_assert_mem_eq(bytes, "{}\0\xff\n", 5);
}
END_TEST

START_TEST(source_read_empty_file_gives_no_bytes)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	write_file("", 0);
	ck_assert_int_eq(source_read(path, &bytes, &size, NULL), 0);
	ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(source_read_file_that_tells_no_size_is_read_to_its_end)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	ck_assert_int_eq(source_read("/proc/self/status", &bytes, &size, NULL), 0);
	ck_assert_uint_gt(size, 0);
	ck_assert_int_eq(bytes[size - 1], '\n');
}
END_TEST

START_TEST(source_read_file_at_the_limit_is_read)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	write_file("", 0);
	ck_assert_int_eq(truncate(path, (off_t)SOURCE_MAX), 0);
	ck_assert_int_eq(source_read(path, &bytes, &size, NULL), 0);
	ck_assert_uint_eq(size, SOURCE_MAX);
}
END_TEST

START_TEST(source_read_file_past_the_limit_is_refused_with_both_sizes)
{
	write_file("", 0);
	ck_assert_int_eq(truncate(path, (off_t)SOURCE_MAX + 1), 0);
	check_fails(path, -EFBIG, "has 16777217 bytes; the limit is 16777216 (16 MiB)");
}
END_TEST

START_TEST(source_read_endless_file_without_size_is_refused)
{
	struct stat st;

	/* Tells a size of 0, and has some 128 TiB: as good as a file that grows without end. */
	if (stat("/proc/self/pagemap", &st) < 0 || st.st_size != 0)
		return;
	check_fails("/proc/self/pagemap", -EFBIG, "more than 16777216 bytes (16 MiB)");
}
END_TEST

START_TEST(source_read_missing_file_says_so)
{
	check_fails(path, -ENOENT, "no such file");
}
END_TEST

START_TEST(source_read_dangling_link_says_so)
{
	ck_assert_int_eq(symlink("nowhere", path), 0);
	check_fails(path, -ENOENT, "is a link to a file that is missing");
}
END_TEST

START_TEST(source_read_link_to_a_file_is_followed)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	ck_assert_int_eq(symlink("/proc/self/comm", path), 0);
	ck_assert_int_eq(source_read(path, &bytes, &size, NULL), 0);
}
END_TEST

START_TEST(source_read_directory_says_so)
{
	check_fails(folder, -EISDIR, "is a directory; name a file");
}
END_TEST

START_TEST(source_read_fifo_without_writer_does_not_block)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	check_fails(path, -EINVAL, "is a FIFO");
}
END_TEST

START_TEST(source_read_device_says_so)
{
	check_fails("/dev/zero", -EINVAL, "is a device");
}
END_TEST

START_TEST(source_read_socket_says_so)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	check_fails(path, -EINVAL, "is a socket");
}
END_TEST

START_TEST(source_read_without_permission_says_so)
{
	write_file("{}", 2);
	ck_assert_int_eq(chmod(path, 0), 0);
	if (access(path, R_OK) == 0) /* root reads everything */
		return;
	check_fails(path, -EACCES, "Permission denied");
}
END_TEST

START_TEST(source_read_path_through_a_file_tells_the_reason)
{
	char below[160];

	write_file("{}", 2);
	snprintf(below, sizeof(below), "%s/x", path);
	check_fails(below, -ENOTDIR, "Not a directory");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source");
	TCase *tcase = tcase_create("source_read");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, source_read_regular_file_gives_its_bytes);
	tcase_add_test(tcase, source_read_empty_file_gives_no_bytes);
	tcase_add_test(tcase, source_read_file_that_tells_no_size_is_read_to_its_end);
	tcase_add_test(tcase, source_read_file_at_the_limit_is_read);
	tcase_add_test(tcase, source_read_file_past_the_limit_is_refused_with_both_sizes);
	tcase_add_test(tcase, source_read_endless_file_without_size_is_refused);
	tcase_add_test(tcase, source_read_missing_file_says_so);
	tcase_add_test(tcase, source_read_dangling_link_says_so);
	tcase_add_test(tcase, source_read_link_to_a_file_is_followed);
	tcase_add_test(tcase, source_read_directory_says_so);
	tcase_add_test(tcase, source_read_fifo_without_writer_does_not_block);
	tcase_add_test(tcase, source_read_device_says_so);
	tcase_add_test(tcase, source_read_socket_says_so);
	tcase_add_test(tcase, source_read_without_permission_says_so);
	tcase_add_test(tcase, source_read_path_through_a_file_tells_the_reason);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
