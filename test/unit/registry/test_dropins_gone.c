/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes with a drop-in, and what stays, when a configuration is reloaded (docs/dropins.md). */
#include "dropins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int main(void)
{
	Suite *suite = suite_create("dropins_gone");
	TCase *tcase = tcase_create("dropins_gone");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, dropins_setup, dropins_teardown);
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
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
