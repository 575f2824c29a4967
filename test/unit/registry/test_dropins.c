/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration from a file and its drop-ins (docs/dropins.md): who owns what, and what is an error. */
#include "dropins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- reading --- */

START_TEST(open_takes_what_the_drop_ins_set)
{
	put("50-kata.json", "{\"runtimes\":{\"kata\":{\"runtimeType\":\"io.containerd.kata.v2\"}}}");
	put("60-site.json", "{\"labels\":[\"site=a\"],\"proxies\":{\"no-proxy\":\"x\"}}");
	sandbox_write(&sandbox, "{\"runtimes\":{\"crun\":{\"path\":\"/bin/crun\"}},"
	                        "\"proxies\":{\"http-proxy\":\"http://p\"}}");
	open_registry();
	assert_config("\"labels\":[\"site=a\"]");
	assert_config("\"kata\":{\"runtimeType\":\"io.containerd.kata.v2\"}");
	assert_config("\"crun\":{\"path\":\"/bin/crun\"}");
	assert_origin("labels", "file:60-site.json");
	assert_origin("runtimes", "file");
	assert_origin("runtimes.kata", "file:50-kata.json");
	assert_origin("runtimes.crun", "file");
	assert_origin("proxies.no-proxy", "file:60-site.json");
	assert_origin("proxies.http-proxy", "file");
	assert_origin("debug", "default");
}
END_TEST

START_TEST(open_ignores_other_names)
{
	put(".hidden.json", "no JSON");
	put("readme", "no JSON");
	put("50-x.json.dpkg-old", "no JSON");
	put("50-x.JSON", "no JSON");
	put(".json", "no JSON");
	open_registry();
	assert_config("\"labels\":[]");
}
END_TEST

START_TEST(open_without_a_directory_works)
{
	ck_assert_int_eq(rmdir(directory), 0);
	open_registry();
	reload();
}
END_TEST

START_TEST(open_with_a_link_to_the_directory_follows_it)
{
	char target[128];

	snprintf(target, sizeof(target), "%s/elsewhere", sandbox.directory);
	put("1.json", "{\"debug\":true}");
	ck_assert_int_eq(rename(directory, target), 0);
	ck_assert_int_eq(symlink("elsewhere", directory), 0);
	open_registry();
	assert_origin("debug", "file:1.json");
}
END_TEST

START_TEST(runtimes_of_one_drop_in_are_its_own)
{
	put("50-kata.json", "{\"runtimes\":{\"a\":{\"path\":\"/a\"},\"b\":{\"path\":\"/b\"}}}");
	open_registry();
	assert_origin("runtimes", "file:50-kata.json");
	put("60-x.json", "{\"runtimes\":{\"c\":{\"path\":\"/c\"}}}");
	reload();
	assert_origin("runtimes", "file");
	assert_origin("runtimes.a", "file:50-kata.json");
	assert_origin("runtimes.c", "file:60-x.json");
}
END_TEST

START_TEST(validate_reads_the_drop_ins_of_the_configured_file)
{
	struct rtreg_source body = {.bytes = "{}", .size = 2};

	put("50-x.json", "{\"lables\":[]}");
	ck_assert_int_eq(rtreg_validate(&sandbox.options, NULL, NULL, &failure), -EINVAL);
	ck_assert(told("50-x.json: the following directives don't match", NULL));
	ck_assert_str_eq(failure.where, "50-x.json: lables");
	ck_assert_int_eq(rtreg_validate(&sandbox.options, &body, NULL, NULL), 0);
}
END_TEST

START_TEST(warning_of_a_drop_in_names_it)
{
	put("50-x.json", "{\"restart\":true}");
	open_registry();
	reload();
	ck_assert_ptr_nonnull(strstr(rtreg_report_warning(report, 0), "/50-x.json: restart: "));
	ck_assert(listed("ignored", "restart"));
}
END_TEST

/* --- two owners --- */

static const struct {
	const char *main, *a, *b; /* "" is an empty file */
	const char *what;         /* the message, in which two of the names follow */
	const char *first, *second;
} conflicts[] = {
        {"{\"debug\":true}", "{\"debug\":true}", "",
         "the key debug is set in two files: ", "/daemon.json and", "/a.json"},
        {"", "{\"labels\":[]}", "{\"labels\":[]}", "the key labels is set in two files: ", "/a.json and",
         "/b.json"},
        {"", "{\"mtu\":1}", "{\"mtu\":\"wrong\"}", "the key mtu is set in two files: ", "/a.json and",
         "/b.json"},
        {"", "{\"features\":{\"x\":true}}", "{\"features\":{\"y\":true}}",
         "the key features is set in two files: ", "/a.json and", "/b.json"},
        {"{\"proxies\":{\"no-proxy\":\"x\"}}", "", "{\"proxies\":{\"no-proxy\":\"y\"}}",
         "the key proxies.no-proxy is set in two files: ", "/daemon.json and", "/b.json"},
        {"{\"runtimes\":{\"r\":{\"path\":\"/r\"}}}", "", "{\"runtimes\":{\"r\":{\"path\":\"/r\"}}}",
         "runtime r is set in two files: ", "/daemon.json and", "/b.json"},
        {"", "{\"runtimes\":{\"r\":{\"path\":\"/r\"}}}",
         "{\"runtimes\":{\"q\":{\"path\":\"/q\"},\"r\":null}}",
         "runtime r is set in two files: ", "/a.json and", "/b.json"},
};

START_TEST(key_with_two_owners_is_an_error_naming_both)
{
	open_registry();
	sandbox_write(&sandbox, "%s", conflicts[_i].main);
	put("a.json", conflicts[_i].a);
	put("b.json", conflicts[_i].b);
	assert_refused(-EINVAL);
	ck_assert_msg(told(conflicts[_i].what, conflicts[_i].first, conflicts[_i].second, NULL), "%s",
	              failure.message);
}
END_TEST

START_TEST(all_errors_of_all_files_are_reported_together)
{
	open_registry();
	sandbox_write(&sandbox, "{\"debug\":true,\"mtu\":-1}");
	put("a.json", "{\"debug\":false,\"nonsense\":1,\"labels\":[\"bad\"]}");
	put("b.json", "{\"debug\":false,\"live-restore\":5}");
	assert_refused(-EINVAL);
	ck_assert(told("/a.json: the following directives don't match any configuration option: nonsense",
	               NULL));
	ck_assert(told("/b.json: ", "cannot unmarshal number 5 into live-restore", NULL));
	ck_assert(told("debug is set in two files: ", "/daemon.json and", "/a.json", NULL));
	ck_assert(told("debug is set in two files: ", "/daemon.json and", "/b.json", NULL));
	ck_assert(told("invalid default MTU: -1", NULL));
	ck_assert(told("/a.json: bad attribute format: bad", NULL));
}
END_TEST

static const struct {
	const char *main, *dropin, *message, *where;
} bad_values[] = {
        {"{}", "{\"mtu\":-1}", "/a.json: invalid default MTU: -1", "a.json: mtu"},
        {"{}", "{\"default-runtime\":\"no\"}", "/a.json: specified default runtime 'no' does not exist",
         "a.json: default-runtime"},
        {"{\"runtimes\":{\"b\":{\"path\":\"/b\"}}}", "{\"runtimes\":{\"a\":{}}}",
         "/a.json: runtime a: either ", "a.json: runtimes.a"},
        {"{\"runtimes\":{\"b\":{}}}", "{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}", "runtime b: either ",
         "runtimes.b"},
        {"{\"mtu\":-1}", "{\"debug\":true}", "invalid default MTU: -1", "mtu"},
};

START_TEST(bad_value_is_told_with_its_drop_in)
{
	const char *message = bad_values[_i].message;

	open_registry();
	sandbox_write(&sandbox, "%s", bad_values[_i].main);
	put("a.json", bad_values[_i].dropin);
	assert_refused(-EINVAL);
	if (*message == '/')
		ck_assert_ptr_nonnull(strstr(failure.message, message));
	else
		ck_assert_int_eq(strncmp(failure.message, message, strlen(message)), 0);
	ck_assert_str_eq(failure.where, bad_values[_i].where);
	ck_assert_ptr_null(failure.more);
}
END_TEST

START_TEST(bad_value_of_an_overlay_is_not_its_drop_ins)
{
	struct overlay overlay = {.name = OWN_FRAGMENT, .bytes = "{\"mtu\":-1}", .size = 10};
	struct reload_request request = {.overlay = &overlay};

	put(OWN_FRAGMENT, "{\"mtu\":1400}");
	open_registry();
	ck_assert_int_eq(reload_run(registry, &request, NULL, &failure), -EINVAL);
	ck_assert_str_eq(failure.message, "invalid default MTU: -1");
	ck_assert_str_eq(failure.where, "mtu");
}
END_TEST

START_TEST(unreadable_json_in_several_files_is_told_of_each)
{
	open_registry();
	sandbox_write(&sandbox, "{,");
	put("a.json", "{}");
	put("b.json", "{\"debug\":}");
	assert_refused(-EINVAL);
	ck_assert_int_eq(strncmp(failure.message, "invalid JSON: ", 14), 0);
	ck_assert_str_eq(failure.where, "line 1, column 2");
	ck_assert(told("/b.json: invalid JSON: line 1, column 10", NULL));
	ck_assert_str_eq(failure.more->errors[0].where, "b.json: line 1, column 10");
}
END_TEST

START_TEST(flag_and_drop_in_conflict_as_flag_and_file_do)
{
	struct rtreg_flag flag = {"label", "x=y"};

	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	open_registry();
	put("a.json", "{\"labels\":[\"a=b\"]}");
	assert_refused(-EINVAL);
	ck_assert(told("specified both as a flag and in the configuration file: ",
	               "labels: (from flag: [x=y], from file: [a=b]) in a.json", NULL));
}
END_TEST

START_TEST(runtime_of_a_drop_in_overrides_the_flags_until_it_goes)
{
	struct rtreg_flag flag = {"add-runtime", "r=/by/flag"};

	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	open_registry();
	assert_origin("runtimes.r", "flag");
	assert_origin("runtimes", "flag");
	put("a.json", "{\"runtimes\":{\"r\":{\"path\":\"/by/file\"}}}");
	reload();
	assert_config("\"r\":{\"path\":\"/by/file\"}");
	assert_origin("runtimes.r", "file:a.json");
	ck_assert_ptr_nonnull(strstr(rtreg_report_warning(report, 0), "not the flag --add-runtime's"));
	drop("a.json");
	reload();
	assert_config("\"r\":{\"path\":\"/by/flag\"}");
	assert_origin("runtimes.r", "flag");
	ck_assert(listed("changed", "runtimes.r"));
	ck_assert(listed("reset", "runtimes.r"));
}
END_TEST

/* --- broken ones --- */

static void make_text(const char *path)
{
	(void)path;
	put("50-x.json", "{\"debug\":true,}");
}

static void make_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void make_link_to_nothing(const char *path)
{
	ck_assert_int_eq(symlink("nothing", path), 0);
}

static void make_folder(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void make_large(const char *path)
{
	(void)path;
	put("50-x.json", "");
	ck_assert_int_eq(truncate(place("50-x.json"), (16 << 20) + 1), 0);
}

static void make_latin(const char *path)
{
	(void)path;
	put("50-\xe9.json", "{}");
}

static void make_file_of_the_directory(const char *path)
{
	FILE *file;

	(void)path;
	drop("10-good.json");
	ck_assert_int_eq(rmdir(directory), 0);
	file = fopen(directory, "we");
	ck_assert_ptr_nonnull(file);
	fclose(file);
}

static void make_link_of_the_directory(const char *path)
{
	(void)path;
	drop("10-good.json");
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(symlink("nowhere", directory), 0);
}

static const struct {
	void (*make)(const char *path);
	int code;
	const char *name, *text;
} broken[] = {
        {make_text, -EINVAL, "daemon.json.d/50-x.json: ", "invalid JSON: "},
        {make_fifo, -EINVAL, "daemon.json.d/50-x.json: ", "is a FIFO"},
        {make_link_to_nothing, -ENOENT, "daemon.json.d/50-x.json: ", "a link to a file that is missing"},
        {make_folder, -EISDIR, "daemon.json.d/50-x.json: ", "is a directory"},
        {make_large, -EFBIG, "daemon.json.d/50-x.json: ", "the limit is"},
        {make_latin, -EINVAL, "daemon.json.d/50-", "not UTF-8"},
        {make_file_of_the_directory, -ENOTDIR, "daemon.json.d: ", "Not a directory"},
        {make_link_of_the_directory, -ENOENT, "daemon.json.d: ", "a link to a directory that is missing"},
};

START_TEST(broken_drop_in_changes_nothing)
{
	put("10-good.json", "{\"debug\":true}");
	open_registry();
	put("10-good.json", "{\"debug\":false}");
	broken[_i].make(place("50-x.json"));
	assert_refused(broken[_i].code);
	ck_assert_msg(told(broken[_i].name, broken[_i].text, NULL), "%s", failure.message);
	assert_config("\"debug\":true");
}
END_TEST

START_TEST(open_with_a_broken_drop_in_fails)
{
	put("50-x.json", "[]");
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &failure), -EINVAL);
	ck_assert(told("/50-x.json: invalid JSON: the top level must be an object, found array", NULL));
}
END_TEST

/* --- limits --- */

START_TEST(drop_ins_up_to_a_thousand_are_read)
{
	char name[32];

	open_registry();
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%04d.json", i);
		put(name, i == 999 ? "{\"debug\":true}" : "");
	}
	reload();
	assert_origin("debug", "file:0999.json");
	put("x.json", "");
	assert_refused(-EINVAL);
	ck_assert(told("daemon.json.d: has more than 1000 files", NULL));
}
END_TEST

START_TEST(files_of_more_than_64_mib_together_are_an_error)
{
	char name[32];

	open_registry();
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%d.json", i);
		put(name, "");
		ck_assert_int_eq(truncate(place(name), 16 << 20), 0);
	}
	assert_refused(-EFBIG);
	ck_assert(told("/3.json: ", "more than 67108864 bytes", NULL));
}
END_TEST

static void put_runtimes(const char *name, const char *prefix, int count)
{
	FILE *file = fopen(place(name), "we");

	ck_assert_ptr_nonnull(file);
	fputs("{\"runtimes\":{", file);
	for (int i = 0; i < count; i++)
		fprintf(file, "%s\"%s%d\":{\"path\":\"/r\"}", i ? "," : "", prefix, i);
	fputs("}}", file);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(runtimes_of_all_files_have_one_limit)
{
	open_registry();
	put_runtimes("a.json", "a", 60000);
	put_runtimes("b.json", "b", 40001);
	assert_refused(-EINVAL);
	ck_assert(told("too many runtimes: 100001 in all files, at most 100000 are allowed", NULL));
	put_runtimes("b.json", "b", 40000);
	reload();
	assert_origin("runtimes.b39999", "file:b.json");
}
END_TEST

/* --- the overlay --- */

static void reload_overlay(const char *name, const char *text)
{
	struct overlay overlay = {.name = name, .bytes = text, .size = text ? strlen(text) : 0};
	struct reload_request request = {.overlay = &overlay};

	ck_assert_msg(reload_run(registry, &request, NULL, &failure) == 0, "%s", failure.message);
}

START_TEST(overlay_stands_for_one_drop_in)
{
	put(OWN_FRAGMENT, "{\"labels\":[\"on=disk\"]}");
	put("60-x.json", "{\"live-restore\":true}");
	open_registry();
	reload_overlay(OWN_FRAGMENT, "{\"debug\":true}");
	assert_config("\"labels\":[]");
	assert_config("\"live-restore\":true");
	assert_origin("debug", "file:" OWN_FRAGMENT);
	reload_overlay(OWN_FRAGMENT, NULL);
	assert_config("\"debug\":false");
	assert_config("\"labels\":[]");
	reload();
	assert_origin("labels", "file:" OWN_FRAGMENT);
}
END_TEST

START_TEST(overlay_of_what_is_not_there_is_read_in_its_place)
{
	struct overlay overlay = {.name = "50-x.json", .bytes = "{\"debug\":true}", .size = 14};
	struct reload_request request = {.overlay = &overlay};

	open_registry();
	put("40-a.json", "{\"debug\":false}");
	put("60-b.json", "{\"debug\":false}");
	ck_assert_int_eq(reload_run(registry, &request, NULL, &failure), -EINVAL);
	ck_assert(told("/40-a.json and", "/50-x.json", NULL));
	ck_assert(told("/40-a.json and", "/60-b.json", NULL));
	drop("40-a.json");
	drop("60-b.json");
	ck_assert_int_eq(rmdir(directory), 0);
	reload_overlay("50-x.json", "{\"debug\":true}");
	assert_origin("debug", "file:50-x.json");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dropins");
	TCase *tcase = tcase_create("dropins");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, dropins_setup, dropins_teardown);
	tcase_add_test(tcase, open_takes_what_the_drop_ins_set);
	tcase_add_test(tcase, open_ignores_other_names);
	tcase_add_test(tcase, open_without_a_directory_works);
	tcase_add_test(tcase, open_with_a_link_to_the_directory_follows_it);
	tcase_add_test(tcase, runtimes_of_one_drop_in_are_its_own);
	tcase_add_test(tcase, validate_reads_the_drop_ins_of_the_configured_file);
	tcase_add_test(tcase, warning_of_a_drop_in_names_it);
	tcase_add_loop_test(tcase, key_with_two_owners_is_an_error_naming_both, 0, ARRAY_SIZE(conflicts));
	tcase_add_test(tcase, all_errors_of_all_files_are_reported_together);
	tcase_add_loop_test(tcase, bad_value_is_told_with_its_drop_in, 0, ARRAY_SIZE(bad_values));
	tcase_add_test(tcase, bad_value_of_an_overlay_is_not_its_drop_ins);
	tcase_add_test(tcase, unreadable_json_in_several_files_is_told_of_each);
	tcase_add_test(tcase, flag_and_drop_in_conflict_as_flag_and_file_do);
	tcase_add_test(tcase, runtime_of_a_drop_in_overrides_the_flags_until_it_goes);
	tcase_add_loop_test(tcase, broken_drop_in_changes_nothing, 0, ARRAY_SIZE(broken));
	tcase_add_test(tcase, open_with_a_broken_drop_in_fails);
	tcase_add_test(tcase, drop_ins_up_to_a_thousand_are_read);
	tcase_add_test(tcase, files_of_more_than_64_mib_together_are_an_error);
	tcase_add_test(tcase, runtimes_of_all_files_have_one_limit);
	tcase_add_test(tcase, overlay_stands_for_one_drop_in);
	tcase_add_test(tcase, overlay_of_what_is_not_there_is_read_in_its_place);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
