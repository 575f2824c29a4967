/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration from a file and its drop-ins (docs/dropins.md): who owns what, what goes, what is an error.
 * Each test opens a registry of its own, in the process that check forks for it.
 */
#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/registry.h"
#include "sandbox.h"
#include "unit.h"

#define SHOWN 3000 /* bytes of a configuration in a message, of which check takes only so much */

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static struct rtreg_report *report;
static char directory[192];

static void setup(void)
{
	sandbox_init(&sandbox);
	snprintf(directory, sizeof(directory), "%s.d", sandbox.config);
	ck_assert_int_eq(mkdir(directory, 0755), 0);
}

static void teardown(void)
{
	rtreg_report_free(report);
	rtreg_close(registry);
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static const char *place(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(place(name), "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void drop(const char *name)
{
	ck_assert_int_eq(unlink(place(name)), 0);
}

static void open_registry(void)
{
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

/* With the source, or the files for NULL; the report is in `report`. */
static int reload_from(const struct rtreg_source *source, unsigned flags)
{
	rtreg_report_free(report);
	report = NULL;
	return rtreg_reload(registry, source, flags, &report, &error);
}

static void reload(void)
{
	ck_assert_msg(reload_from(NULL, 0) == 0, "%s", error.message);
}

static void reload_body(const char *text)
{
	struct rtreg_source source = {.bytes = text, .size = strlen(text)};

	ck_assert_msg(reload_from(&source, 0) == 0, "%s", error.message);
}

/* The live configuration as JSON, until the next call. */
static const char *live(void)
{
	static char *json;
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);

	free(json);
	json = rtreg_snapshot_json(snapshot);
	rtreg_unpin(snapshot);
	return json;
}

static uint64_t generation(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t ret = rtreg_snapshot_generation(snapshot);

	rtreg_unpin(snapshot);
	return ret;
}

static void assert_config(const char *member)
{
	const char *json = live(), *found = strstr(json, member);

	ck_assert_msg(found && found < strstr(json, "\"origin\":{"), "no %s in %.*s", member, SHOWN, json);
}

static void assert_origin(const char *key, const char *origin)
{
	const char *origins = strstr(live(), "\"origin\":{");
	char member[256];

	snprintf(member, sizeof(member), "\"%s\":\"%s\"", key, origin);
	ck_assert_msg(strstr(origins, member), "no %s in %.*s", member, SHOWN, origins);
}

/* Of the report's list `list`, which ends at the next one. */
static bool listed(const char *list, const char *key)
{
	const char *json = rtreg_report_json(report), *begin, *end;
	char text[128];

	snprintf(text, sizeof(text), "\"%s\":[", list);
	begin = strstr(json, text);
	ck_assert_ptr_nonnull(begin);
	end = strstr(begin, "}],\"");
	if (begin[strlen(text)] == ']')
		return false;
	snprintf(text, sizeof(text), "{\"key\":\"%s\"", key);
	begin = strstr(begin, text);
	return begin && begin < end;
}

/* Whether one of the last error's messages holds all of `texts` (NULL at the end), in their order. */
static bool told(const char *first, ...)
{
	const size_t more = error.more ? error.more->count : 0;

	for (size_t i = 0; i <= more; i++) {
		const char *at = i == 0 ? error.message : error.more->errors[i - 1].message;
		va_list texts;

		va_start(texts, first);
		for (const char *text = first; at && text; text = va_arg(texts, const char *)) {
			at = strstr(at, text);
			at = at ? at + strlen(text) : NULL;
		}
		va_end(texts);
		if (at)
			return true;
	}
	return false;
}

/* The reload fails, and everything is as before. */
static void assert_refused(int code)
{
	char *before = strdup(live());

	ck_assert_int_eq(reload_from(NULL, 0), code);
	ck_assert_str_eq(live(), before);
	free(before);
}

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
	ck_assert_int_eq(rtreg_validate(&sandbox.options, NULL, NULL, &error), -EINVAL);
	ck_assert(told("50-x.json: the following directives don't match", NULL));
	ck_assert_str_eq(error.where, "50-x.json: lables");
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
	              error.message);
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
	ck_assert(told("bad attribute format: bad", NULL));
}
END_TEST

START_TEST(unreadable_json_in_several_files_is_told_of_each)
{
	open_registry();
	sandbox_write(&sandbox, "{,");
	put("a.json", "{}");
	put("b.json", "{\"debug\":}");
	assert_refused(-EINVAL);
	ck_assert_int_eq(strncmp(error.message, "invalid JSON: ", 14), 0);
	ck_assert_str_eq(error.where, "line 1, column 2");
	ck_assert(told("/b.json: invalid JSON: line 1, column 10", NULL));
	ck_assert_str_eq(error.more->errors[0].where, "b.json: line 1, column 10");
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

/* --- what goes --- */

static const struct {
	const char *key, *value, *shown, *back; /* in the drop-in; shown by it; shown without it */
} gone[] = {
        /* keep */
        {"debug", "true", "true", "false"},
        {"labels", "[\"a=b\"]", "[\"a=b\"]", "[]"},
        {"default-shm-size", "\"1m\"", "\"1048576\"", "\"67108864\""},
        {"shutdown-timeout", "7", "7", "15"},
        /* keep-nonempty */
        {"default-runtime", "\"io.containerd.runc.v2\"", "\"io.containerd.runc.v2\"", "\"runc\""},
        {"default-ipc-mode", "\"shareable\"", "\"shareable\"", "\"private\""},
        /* reset */
        {"max-concurrent-uploads", "9", "9", "5"},
        {"features", "{\"x\":true}", "{\"x\":true}", "{}"},
        {"authorization-plugins", "[\"p\"]", "[\"p\"]", "[]"},
};

START_TEST(key_whose_drop_in_went_goes_back)
{
	char text[128];

	open_registry();
	snprintf(text, sizeof(text), "{\"%s\":%s}", gone[_i].key, gone[_i].value);
	put("a.json", text);
	reload();
	snprintf(text, sizeof(text), "\"%s\":%s,", gone[_i].key, gone[_i].shown);
	assert_config(text);
	assert_origin(gone[_i].key, "file:a.json");
	drop("a.json");
	reload();
	snprintf(text, sizeof(text), "\"%s\":%s,", gone[_i].key, gone[_i].back);
	assert_config(text);
	assert_origin(gone[_i].key, "default");
	ck_assert(listed("changed", gone[_i].key));
	ck_assert(listed("reset", gone[_i].key));
	reload();
	ck_assert(rtreg_report_unchanged(report));
}
END_TEST

START_TEST(key_that_left_its_drop_in_goes_back_alone)
{
	put("a.json", "{\"debug\":true,\"labels\":[\"a=b\"]}");
	open_registry();
	put("a.json", "{\"labels\":[\"a=b\"]}");
	reload();
	assert_config("\"debug\":false");
	assert_config("\"labels\":[\"a=b\"]");
	ck_assert(!listed("reset", "labels"));
}
END_TEST

START_TEST(key_of_the_main_file_is_kept_as_ever)
{
	sandbox_write(&sandbox, "{\"debug\":true,\"runtimes\":{\"m\":{\"path\":\"/m\"}}}");
	put("a.json", "{}");
	open_registry();
	sandbox_write(&sandbox, "{}");
	drop("a.json");
	reload();
	assert_config("\"debug\":true");
	assert_config("\"m\":{\"path\":\"/m\"}");
	ck_assert(rtreg_report_unchanged(report));
}
END_TEST

START_TEST(empty_string_elsewhere_does_not_keep_what_went)
{
	put("a.json", "{\"runtimes\":{\"k\":{\"path\":\"/k\"}},\"default-runtime\":\"k\"}");
	open_registry();
	drop("a.json");
	sandbox_write(&sandbox, "{\"default-runtime\":\"\"}");
	reload();
	assert_config("\"default-runtime\":\"runc\"");
}
END_TEST

START_TEST(held_key_whose_drop_in_went_needs_a_restart)
{
	put("a.json", "{\"mtu\":1400}");
	open_registry();
	assert_origin("mtu", "file:a.json");
	drop("a.json");
	reload();
	assert_config("\"mtu\":1400");
	ck_assert(listed("needs-restart", "mtu"));
	ck_assert(rtreg_report_unchanged(report));
}
END_TEST

START_TEST(runtimes_of_drop_ins_go_and_the_main_files_are_kept)
{
	sandbox_write(&sandbox, "{\"runtimes\":{\"m\":{\"path\":\"/m\"},\"n\":{\"path\":\"/n\"}}}");
	put("a.json", "{\"runtimes\":{\"a\":{\"path\":\"/a\"},\"z\":{\"path\":\"/z\"}}}");
	open_registry();
	sandbox_write(&sandbox, "{}");
	put("a.json", "{\"runtimes\":{\"a\":{\"path\":\"/a2\"},\"n\":{\"path\":\"/n2\"}}}");
	reload();
	assert_config(
	        "\"runtimes\":{\"a\":{\"path\":\"/a2\"},\"m\":{\"path\":\"/m\"},\"n\":{\"path\":\"/n2\"}}");
	assert_origin("runtimes.m", "file");
	assert_origin("runtimes.n", "file:a.json");
	ck_assert(listed("changed", "runtimes.a"));
	ck_assert(listed("changed", "runtimes.z"));
	ck_assert(listed("reset", "runtimes.z"));
	ck_assert(!listed("reset", "runtimes.a"));
	ck_assert(!listed("changed", "runtimes.m"));
	drop("a.json");
	reload();
	assert_config("\"runtimes\":{\"m\":{\"path\":\"/m\"}}");
}
END_TEST

START_TEST(runtimes_of_the_main_file_replace_its_own_and_no_others)
{
	sandbox_write(&sandbox, "{\"runtimes\":{\"m\":{\"path\":\"/m\"}}}");
	put("a.json", "{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	open_registry();
	sandbox_write(&sandbox, "{\"runtimes\":{\"n\":{\"path\":\"/n\"}}}");
	reload();
	assert_config("\"runtimes\":{\"a\":{\"path\":\"/a\"},\"n\":{\"path\":\"/n\"}}");
	ck_assert(listed("changed", "runtimes.m"));
	ck_assert(!listed("reset", "runtimes.m"));
}
END_TEST

START_TEST(runtimes_that_are_all_gone_are_none)
{
	put("a.json", "{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	open_registry();
	drop("a.json");
	reload();
	assert_config("\"runtimes\":{}");
	ck_assert_uint_eq(generation(), 2);
}
END_TEST

START_TEST(moved_key_is_unchanged_and_goes_with_its_new_file)
{
	sandbox_write(&sandbox, "{\"debug\":true,\"mtu\":1400,\"runtimes\":{\"r\":{\"path\":\"/r\"}}}");
	open_registry();
	sandbox_write(&sandbox, "{}");
	put("a.json", "{\"debug\":true,\"mtu\":1400,\"runtimes\":{\"r\":{\"path\":\"/r\"}}}");
	reload();
	ck_assert(rtreg_report_unchanged(report));
	ck_assert_uint_eq(generation(), 1);
	assert_origin("debug", "file:a.json");
	assert_origin("mtu", "file:a.json");
	assert_origin("runtimes.r", "file:a.json");
	drop("a.json");
	reload();
	assert_config("\"debug\":false");
	assert_config("\"runtimes\":{}");
	ck_assert_uint_eq(generation(), 2);
}
END_TEST

START_TEST(moved_runtime_alone_is_noticed)
{
	put("a.json", "{\"runtimes\":{\"p\":{\"path\":\"/p\"},\"q\":{\"path\":\"/q\"}}}");
	put("b.json", "{\"runtimes\":{\"r\":{\"path\":\"/r\"}}}");
	open_registry();
	put("a.json", "{\"runtimes\":{\"p\":{\"path\":\"/p\"}}}");
	put("b.json", "{\"runtimes\":{\"q\":{\"path\":\"/q\"},\"r\":{\"path\":\"/r\"}}}");
	reload();
	ck_assert(rtreg_report_unchanged(report));
	assert_origin("runtimes.q", "file:b.json");
}
END_TEST

START_TEST(dry_run_of_a_move_changes_no_origin)
{
	sandbox_write(&sandbox, "{\"debug\":true}");
	open_registry();
	sandbox_write(&sandbox, "{}");
	put("a.json", "{\"debug\":true}");
	ck_assert_int_eq(reload_from(NULL, RTREG_RELOAD_DRY_RUN), 0);
	assert_origin("debug", "file");
}
END_TEST

START_TEST(snapshot_pinned_before_a_move_stays_as_it_was)
{
	const struct rtreg_snapshot *pinned;
	char *json;

	sandbox_write(&sandbox, "{\"debug\":true}");
	open_registry();
	pinned = rtreg_pin(registry);
	sandbox_write(&sandbox, "{}");
	put("a.json", "{\"debug\":true}");
	reload();
	json = rtreg_snapshot_json(pinned);
	ck_assert_ptr_nonnull(strstr(json, "\"debug\":\"file\""));
	free(json);
	rtreg_unpin(pinned);
}
END_TEST

START_TEST(body_stands_in_place_of_the_drop_ins_too)
{
	sandbox_write(&sandbox, "{\"live-restore\":true,\"runtimes\":{\"m\":{\"path\":\"/m\"}}}");
	put("a.json", "{\"debug\":true,\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	open_registry();
	reload_body("{\"labels\":[\"by=body\"]}");
	assert_config("\"debug\":false");
	assert_config("\"live-restore\":true");
	assert_config("\"runtimes\":{\"m\":{\"path\":\"/m\"}}");
	ck_assert(listed("reset", "debug"));
	ck_assert(listed("reset", "runtimes.a"));
	reload();
	assert_config("\"debug\":true");
	assert_origin("runtimes.a", "file:a.json");
}
END_TEST

START_TEST(file_named_for_one_reload_has_no_drop_ins)
{
	char path[128];
	struct rtreg_source source = {.file = path};

	put("a.json", "{\"debug\":true}");
	open_registry();
	snprintf(path, sizeof(path), "%s/other", sandbox.directory);
	ck_assert_int_eq(link(sandbox.config, path), 0);
	ck_assert_int_eq(reload_from(&source, 0), 0);
	assert_config("\"debug\":false");
}
END_TEST

START_TEST(missing_default_file_leaves_the_drop_ins_alone)
{
	sandbox_write(&sandbox, "{\"live-restore\":true,\"runtimes\":{\"m\":{\"path\":\"/m\"}}}");
	put("a.json", "{\"debug\":true,\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	open_registry();
	registry->setup.config_named = false; /* as the default file's name would be */
	ck_assert_int_eq(unlink(sandbox.config), 0);
	reload();
	assert_config("\"debug\":true");
	assert_config("\"live-restore\":false");
	assert_config("\"runtimes\":{\"a\":{\"path\":\"/a\"}}");
	ck_assert(listed("reset", "live-restore"));
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
};

START_TEST(broken_drop_in_changes_nothing)
{
	put("10-good.json", "{\"debug\":true}");
	open_registry();
	put("10-good.json", "{\"debug\":false}");
	broken[_i].make(place("50-x.json"));
	assert_refused(broken[_i].code);
	ck_assert_msg(told(broken[_i].name, broken[_i].text, NULL), "%s", error.message);
	assert_config("\"debug\":true");
}
END_TEST

START_TEST(open_with_a_broken_drop_in_fails)
{
	put("50-x.json", "[]");
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &error), -EINVAL);
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

	ck_assert_msg(reload_run(registry, &request, NULL, &error) == 0, "%s", error.message);
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
	ck_assert_int_eq(reload_run(registry, &request, NULL, &error), -EINVAL);
	ck_assert(told("/40-a.json and", "/50-x.json", NULL));
	ck_assert(told("/40-a.json and", "/60-b.json", NULL));
	drop("40-a.json");
	drop("60-b.json");
	ck_assert_int_eq(rmdir(directory), 0);
	reload_overlay("50-x.json", "{\"debug\":true}");
	assert_origin("debug", "file:50-x.json");
}
END_TEST

/* --- what stays of a rejected configuration --- */

static const char *rejected(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/rejected%s%s", sandbox.state, *name ? "/" : "", name);
	return path;
}

static void assert_rejected(const char *name, const char *text)
{
	FILE *file = fopen(rejected(name), "re");
	char content[4096];
	struct stat st;

	ck_assert_msg(file != NULL, "%s: %s", rejected(name), strerror(errno));
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	fclose(file);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_str_eq(content, text);
}

static void assert_nothing_rejected(void)
{
	ck_assert_int_lt(access(rejected(""), F_OK), 0);
	ck_assert_int_lt(access(rejected(".new"), F_OK), 0);
}

START_TEST(rejected_files_stay_with_their_errors_until_a_reload_succeeds)
{
	struct stat st;

	open_registry();
	assert_nothing_rejected();
	sandbox_write(&sandbox, "{\"labels\":[\"bad\"]}");
	put("a.json", "{\"mtu\":-1}");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	assert_rejected("daemon.json", "{\"labels\":[\"bad\"]}");
	assert_rejected("daemon.json.d/a.json", "{\"mtu\":-1}");
	assert_rejected("errors", "bad attribute format: bad\ninvalid default MTU: -1\n");
	ck_assert_int_eq(stat(rejected(""), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(rejected("daemon.json.d"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	drop("a.json");
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	assert_rejected("daemon.json", "{,");
	ck_assert_int_lt(access(rejected("daemon.json.d"), F_OK), 0);
	sandbox_write(&sandbox, "{}");
	reload();
	ck_assert(rtreg_report_unchanged(report));
	assert_nothing_rejected();
}
END_TEST

START_TEST(rejected_body_stays_also_without_an_error_wanted)
{
	struct rtreg_source source = {.bytes = "{\"x\":1}", .size = 7};

	open_registry();
	ck_assert_int_eq(rtreg_reload(registry, &source, 0, NULL, NULL), -EINVAL);
	assert_rejected("body.json", "{\"x\":1}");
	assert_rejected("errors", "the following directives don't match any configuration option: x\n");
}
END_TEST

START_TEST(rejected_leaves_secrets_out_of_the_errors)
{
	struct rtreg_flag flag = {"http-proxy", "http://u:hush@p"};
	FILE *file;
	char line[512] = "";

	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	open_registry();
	sandbox_write(&sandbox, "{\"proxies\":{\"http-proxy\":\"http://u:hush@q\"}}");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	file = fopen(rejected("errors"), "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	fclose(file);
	ck_assert_ptr_nonnull(strstr(line, "xxxxx:xxxxx@q"));
	ck_assert_ptr_null(strstr(line, "hush"));
}
END_TEST

static int refuse(struct rtreg_txn *txn, void *context, struct rtreg_error *ret_error)
{
	(void)txn;
	(void)context;
	snprintf(ret_error->message, sizeof(ret_error->message), "the engine says no");
	return -EXDEV;
}

START_TEST(rejected_by_a_step_stays_too)
{
	open_registry();
	rtreg_add_step(registry, "no", refuse, NULL);
	sandbox_write(&sandbox, "{\"debug\":true}");
	ck_assert_int_eq(reload_from(NULL, 0), -EXDEV);
	assert_rejected("errors", "the engine says no\n");
}
END_TEST

START_TEST(rejected_is_nothing_of_dry_runs_and_wrong_generations)
{
	struct rtreg_source bad = {.bytes = "{,", .size = 2}, good = {.bytes = "{}", .size = 2};

	open_registry();
	ck_assert_int_eq(reload_from(&bad, RTREG_RELOAD_DRY_RUN), -EINVAL);
	ck_assert_int_eq(rtreg_reload_if(registry, &good, 0, 7, NULL, &error), -ESTALE);
	assert_nothing_rejected();
	ck_assert_int_eq(reload_from(&bad, 0), -EINVAL);
	ck_assert_int_eq(reload_from(&good, RTREG_RELOAD_DRY_RUN), 0);
	assert_rejected("body.json", "{,");
}
END_TEST

START_TEST(rejected_goes_with_the_next_start)
{
	open_registry();
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	rtreg_close(registry);
	registry = NULL;
	ck_assert_int_eq(rtreg_open(&sandbox.options, &registry, &error), -EINVAL);
	assert_rejected("daemon.json", "{,");
	sandbox_write(&sandbox, "{}");
	open_registry();
	assert_nothing_rejected();
}
END_TEST

static char logged[512];

static void note(void *context, enum rtreg_log_level level, const char *message)
{
	(void)context;
	if (level == RTREG_LOG_WARN)
		snprintf(logged, sizeof(logged), "%s", message);
}

/* The state directory is gone from under it, where nothing can be made any more, not even by root. */
START_TEST(rejected_that_cannot_be_written_is_a_warning)
{
	char runtimes[160], lock[160], number[160];

	sandbox.options.log = note;
	open_registry();
	snprintf(runtimes, sizeof(runtimes), "%s/runtimes", sandbox.state);
	snprintf(lock, sizeof(lock), "%s/lock", sandbox.state);
	snprintf(number, sizeof(number), "%s/generation", sandbox.state);
	ck_assert_int_eq(rmdir(runtimes), 0);
	ck_assert_int_eq(unlink(lock), 0);
	ck_assert_int_eq(unlink(number), 0);
	ck_assert_int_eq(rmdir(sandbox.state), 0);
	sandbox_write(&sandbox, "{,");
	ck_assert_int_eq(reload_from(NULL, 0), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "invalid JSON: "));
	ck_assert_ptr_nonnull(strstr(logged, "cannot be kept in"));
	ck_assert_ptr_nonnull(strstr(logged, sandbox.state));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dropins");
	TCase *tcase = tcase_create("dropins");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, open_takes_what_the_drop_ins_set);
	tcase_add_test(tcase, open_ignores_other_names);
	tcase_add_test(tcase, open_without_a_directory_works);
	tcase_add_test(tcase, open_with_a_link_to_the_directory_follows_it);
	tcase_add_test(tcase, runtimes_of_one_drop_in_are_its_own);
	tcase_add_test(tcase, validate_reads_the_drop_ins_of_the_configured_file);
	tcase_add_test(tcase, warning_of_a_drop_in_names_it);
	tcase_add_loop_test(tcase, key_with_two_owners_is_an_error_naming_both, 0, ARRAY_SIZE(conflicts));
	tcase_add_test(tcase, all_errors_of_all_files_are_reported_together);
	tcase_add_test(tcase, unreadable_json_in_several_files_is_told_of_each);
	tcase_add_test(tcase, flag_and_drop_in_conflict_as_flag_and_file_do);
	tcase_add_test(tcase, runtime_of_a_drop_in_overrides_the_flags_until_it_goes);
	tcase_add_loop_test(tcase, key_whose_drop_in_went_goes_back, 0, ARRAY_SIZE(gone));
	tcase_add_test(tcase, key_that_left_its_drop_in_goes_back_alone);
	tcase_add_test(tcase, key_of_the_main_file_is_kept_as_ever);
	tcase_add_test(tcase, empty_string_elsewhere_does_not_keep_what_went);
	tcase_add_test(tcase, held_key_whose_drop_in_went_needs_a_restart);
	tcase_add_test(tcase, runtimes_of_drop_ins_go_and_the_main_files_are_kept);
	tcase_add_test(tcase, runtimes_of_the_main_file_replace_its_own_and_no_others);
	tcase_add_test(tcase, runtimes_that_are_all_gone_are_none);
	tcase_add_test(tcase, moved_key_is_unchanged_and_goes_with_its_new_file);
	tcase_add_test(tcase, moved_runtime_alone_is_noticed);
	tcase_add_test(tcase, dry_run_of_a_move_changes_no_origin);
	tcase_add_test(tcase, snapshot_pinned_before_a_move_stays_as_it_was);
	tcase_add_test(tcase, body_stands_in_place_of_the_drop_ins_too);
	tcase_add_test(tcase, file_named_for_one_reload_has_no_drop_ins);
	tcase_add_test(tcase, missing_default_file_leaves_the_drop_ins_alone);
	tcase_add_loop_test(tcase, broken_drop_in_changes_nothing, 0, ARRAY_SIZE(broken));
	tcase_add_test(tcase, open_with_a_broken_drop_in_fails);
	tcase_add_test(tcase, drop_ins_up_to_a_thousand_are_read);
	tcase_add_test(tcase, files_of_more_than_64_mib_together_are_an_error);
	tcase_add_test(tcase, runtimes_of_all_files_have_one_limit);
	tcase_add_test(tcase, overlay_stands_for_one_drop_in);
	tcase_add_test(tcase, overlay_of_what_is_not_there_is_read_in_its_place);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("rejected");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, rejected_files_stay_with_their_errors_until_a_reload_succeeds);
	tcase_add_test(tcase, rejected_body_stays_also_without_an_error_wanted);
	tcase_add_test(tcase, rejected_leaves_secrets_out_of_the_errors);
	tcase_add_test(tcase, rejected_by_a_step_stays_too);
	tcase_add_test(tcase, rejected_is_nothing_of_dry_runs_and_wrong_generations);
	tcase_add_test(tcase, rejected_goes_with_the_next_start);
	tcase_add_test(tcase, rejected_that_cannot_be_written_is_a_warning);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
