/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define IPC_INVALID(mode) "default IPC mode setting (" mode ") is invalid; use \"shareable\" or \"private\""
#define IPC_UNSUPPORTED(mode) \
	"IPC mode \"" mode "\" is not supported as default value; use \"shareable\" or \"private\""

static const struct string_case strings[] = {
        {KEY_ID_LOG_LEVEL, "", NULL},
        {KEY_ID_LOG_LEVEL, "panic", NULL},
        {KEY_ID_LOG_LEVEL, "FATAL", NULL},
        {KEY_ID_LOG_LEVEL, "Trace", NULL},
        {KEY_ID_LOG_LEVEL, "warning", "invalid logging level: warning"},
        {KEY_ID_LOG_LEVEL, "info ", "invalid logging level: info "},
        {KEY_ID_LOG_FORMAT, "", NULL},
        {KEY_ID_LOG_FORMAT, "text", NULL},
        {KEY_ID_LOG_FORMAT, "json", NULL},
        {KEY_ID_LOG_FORMAT, "JSON", "invalid log format: JSON"},
        {KEY_ID_LOG_FORMAT, "xml", "invalid log format: xml"},
        {KEY_ID_DEFAULT_IPC_MODE, "", NULL},
        {KEY_ID_DEFAULT_IPC_MODE, "private", NULL},
        {KEY_ID_DEFAULT_IPC_MODE, "shareable", NULL},
        {KEY_ID_DEFAULT_IPC_MODE, "public", IPC_INVALID("public")},
        {KEY_ID_DEFAULT_IPC_MODE, "Private", IPC_INVALID("Private")},
        {KEY_ID_DEFAULT_IPC_MODE, "container", IPC_INVALID("container")},
        {KEY_ID_DEFAULT_IPC_MODE, "host", IPC_UNSUPPORTED("host")},
        {KEY_ID_DEFAULT_IPC_MODE, "none", IPC_UNSUPPORTED("none")},
        {KEY_ID_DEFAULT_IPC_MODE, "container:web", IPC_UNSUPPORTED("container:web")},
        {KEY_ID_DEFAULT_CGROUPNS_MODE, "", NULL},
        {KEY_ID_DEFAULT_CGROUPNS_MODE, "host", NULL},
        {KEY_ID_DEFAULT_CGROUPNS_MODE, "private", NULL},
        {KEY_ID_DEFAULT_CGROUPNS_MODE, "shared",
         "invalid default cgroup namespace (shared): use \"host\" or \"private\""},
};

START_TEST(checks_run_string_says_what_is_wrong)
{
	fixture_run_string(&strings[_i]);
}
END_TEST

static const struct {
	enum key_id id;
	int64_t value;
	const char *error;
} numbers[] = {
        {KEY_ID_MTU, 0, NULL},
        {KEY_ID_MTU, -1, "invalid default MTU: -1"},
        {KEY_ID_MAX_CONCURRENT_DOWNLOADS, 0, NULL},
        {KEY_ID_MAX_CONCURRENT_DOWNLOADS, -3, "invalid max concurrent downloads: -3"},
        {KEY_ID_MAX_CONCURRENT_UPLOADS, -4, "invalid max concurrent uploads: -4"},
        {KEY_ID_MAX_DOWNLOAD_ATTEMPTS, INT64_MIN, "invalid max download attempts: -9223372036854775808"},
        {KEY_ID_DEFAULT_STOP_TIMEOUT, -5, "invalid default stop timeout: -5"},
        {KEY_ID_SHUTDOWN_TIMEOUT, -1, NULL},
        {KEY_ID_NETWORK_DIAGNOSTIC_PORT, 0, NULL},
        {KEY_ID_NETWORK_DIAGNOSTIC_PORT, 65535, NULL},
        {KEY_ID_NETWORK_DIAGNOSTIC_PORT, 65536,
         "invalid network-diagnostic-port (65536): value must be between 0 and 65535"},
        {KEY_ID_NETWORK_DIAGNOSTIC_PORT, -1,
         "invalid network-diagnostic-port (-1): value must be between 0 and 65535"},
};

START_TEST(checks_run_number_out_of_range_is_an_error)
{
	const char *errors[] = {numbers[_i].error, NULL};
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, numbers[_i].id, value_of_int(numbers[_i].value));
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, errors);
	fixture_fini(&fixture);
}
END_TEST

/* Whether the feature and the key conflict: both have to be on. */
START_TEST(checks_run_embedded_containerd_conflicts_with_cri_containerd)
{
	const char *errors[] = {
	        "conflicting options: cannot use embedded-containerd feature with cri-containerd", NULL};
	struct member feature = {"embedded-containerd", value_of_bool(_i & 1)};
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, KEY_ID_FEATURES,
	            (struct value){.type = VALUE_OBJECT, .count = 1, .members = &feature});
	fixture_set(&fixture, KEY_ID_CRI_CONTAINERD, value_of_bool(_i & 2));
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, _i == 3 ? errors : errors + 1);
	fixture_fini(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check_engine");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, checks_run_string_says_what_is_wrong, 0, ARRAY_SIZE(strings));
	tcase_add_loop_test(tcase, checks_run_number_out_of_range_is_an_error, 0, ARRAY_SIZE(numbers));
	tcase_add_loop_test(tcase, checks_run_embedded_containerd_conflicts_with_cri_containerd, 0, 4);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
