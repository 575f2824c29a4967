/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>

#include "base/problems.h"
#include "tree.h"
#include "unit.h"
#include "values/runtime_limits.h"
#include "values/settings.h"

static struct arena *arena;
static struct keyset *keys;
static struct problems problems;
static struct settings settings;

static void setup(void)
{
	arena = arena_new();
	problems = (struct problems){0};
	ck_assert_int_eq(keyset_new(NULL, 0, &keys, NULL), 0);
}

static void teardown(void)
{
	problems_fini(&problems);
	keyset_free(keys);
	arena_free(arena);
}

static void read_text(const char *json)
{
	struct value tree = tree_of(arena, json);

	ck_assert_int_eq(settings_from_tree(arena, keys, &tree, &settings, &problems), 0);
	ck_assert(!problems.failed);
}

static const struct setting *setting_of(const char *key)
{
	int index = keyset_find(keys, key);

	ck_assert_int_ge(index, 0);
	return &settings.items[index];
}

static void assert_json(const struct value *value, const char *json)
{
	_cleanup_text_ struct text text = {0};

	value_write(&text, value);
	ck_assert_str_eq(text_string(&text), json);
}

/* What a key's value becomes. */
static const struct {
	const char *json, *key, *value;
} good[] = {
        {"{\"debug\":true}", "debug", "true"},
        {"{\"debug\":null}", "debug", "false"},
        {"{\"log-driver\":null}", "log-driver", "\"\""},
        {"{\"mtu\":null}", "mtu", "0"},
        {"{\"labels\":null}", "labels", "[]"},
        {"{\"labels\":[\"b\",null,\"a\"]}", "labels", "[\"b\",\"\",\"a\"]"},
        {"{\"shutdown-timeout\":9223372036854775807}", "shutdown-timeout", "9223372036854775807"},
        {"{\"default-shm-size\":\"128M\"}", "default-shm-size", "134217728"},
        {"{\"ip\":\"\"}", "ip", "\"\""},
        {"{\"ip\":null}", "ip", "\"\""},
        {"{\"default-gateway-v6\":\"2001:db8::1\"}", "default-gateway-v6", "\"2001:db8::1\""},
        {"{\"dns\":[\"192.0.2.1\",\"fe80::1%eth0\"]}", "dns", "[\"192.0.2.1\",\"fe80::1%eth0\"]"},
        {"{\"log-opts\":{\"b\":\"2\",\"a\":null}}", "log-opts", "{\"a\":\"\",\"b\":\"2\"}"},
        {"{\"log-opts\":null}", "log-opts", "{}"},
        {"{\"features\":{\"z\":true,\"b\":null}}", "features", "{\"b\":false,\"z\":true}"},
        {"{\"default-network-opts\":{\"bridge\":{\"y\":\"1\",\"x\":\"2\"},\"a\":null}}",
         "default-network-opts", "{\"a\":{},\"bridge\":{\"x\":\"2\",\"y\":\"1\"}}"},
        {"{\"default-ulimits\":{\"nofile\":{\"soft\":1,\"NAME\":\"nofile\",\"Hard\":2}}}", "default-ulimits",
         "{\"nofile\":{\"Hard\":2,\"Name\":\"nofile\",\"Soft\":1}}"},
        {"{\"default-address-pools\":[{\"size\":24,\"base\":\"10.0.0.0/8\"}]}", "default-address-pools",
         "[{\"base\":\"10.0.0.0/8\",\"size\":24}]"},
        {"{\"builder\":{\"gc\":{\"b\":1.50,\"a\":null}}}", "builder", "{\"gc\":{\"a\":null,\"b\":1.50}}"},
        {"{\"nri-opts\":{\"Socket-Path\":\"/s\",\"enable\":true}}", "nri-opts",
         "{\"enable\":true,\"socket-path\":\"/s\"}"},
        {"{\"runtimes\":null}", "runtimes", "{}"},
        {"{\"runtimes\":{\"kata\":null}}", "runtimes", "{\"kata\":{}}"},
        {"{\"runtimes\":{\"b\":{\"path\":\"/b\"},\"a\":{\"path\":\"/a\"}}}", "runtimes",
         "{\"a\":{\"path\":\"/a\"},\"b\":{\"path\":\"/b\"}}"},
        {"{\"runtimes\":{\"x\":{\"RuntimeARGS\":[\"-v\"],\"PATH\":\"/x\"}}}", "runtimes",
         "{\"x\":{\"path\":\"/x\",\"runtimeArgs\":[\"-v\"]}}"},
        {"{\"runtimes\":{\"x\":{\"path\":\"/1\",\"Path\":\"/2\"}}}", "runtimes", "{\"x\":{\"path\":\"/2\"}}"},
        {"{\"runtimes\":{\"x\":{\"path\":\"/1\",\"runtimeArgs\":[],\"runtimeType\":\"\",\"options\":{}}}}",
         "runtimes", "{\"x\":{\"path\":\"/1\"}}"},
        {"{\"runtimes\":{\"x\":{\"runtimeType\":\"a.b\",\"options\":{\"z\":[1,null],\"a\":2.5}}}}",
         "runtimes", "{\"x\":{\"options\":{\"a\":2.5,\"z\":[1,null]},\"runtimeType\":\"a.b\"}}"},
        {"{\"proxies\":{\"http-proxy\":\"http://p\",\"no-proxy\":null}}", "proxies.http-proxy",
         "\"http://p\""},
        {"{\"proxies\":{\"no-proxy\":null}}", "proxies.no-proxy", "\"\""},
};

START_TEST(settings_from_tree_good_value_is_normalised)
{
	read_text(good[_i].json);
	ck_assert_uint_eq(problems.errors.count, 0);
	ck_assert(setting_of(good[_i].key)->set);
	ck_assert_int_eq(setting_of(good[_i].key)->origin, ORIGIN_FILE);
	assert_json(&setting_of(good[_i].key)->value, good[_i].value);
}
END_TEST

/* The one error that a tree gives. */
static const struct {
	const char *json, *where, *message;
} bad[] = {
        {"{\"debug\":\"yes\"}", "debug", "cannot unmarshal string into debug: a boolean is wanted"},
        {"{\"live-restore\":1}", "live-restore",
         "cannot unmarshal number 1 into live-restore: a boolean is wanted"},
        {"{\"mtu\":1450.0}", "mtu", "cannot unmarshal number 1450.0 into mtu: an integer is wanted"},
        {"{\"mtu\":1e3}", "mtu", "cannot unmarshal number 1e3 into mtu: an integer is wanted"},
        {"{\"mtu\":true}", "mtu", "cannot unmarshal bool into mtu: an integer is wanted"},
        {"{\"log-driver\":[\"a\"]}", "log-driver",
         "cannot unmarshal array into log-driver: a string is wanted"},
        {"{\"labels\":{\"a\":\"b\"}}", "labels",
         "cannot unmarshal object into labels: an array of strings is wanted"},
        {"{\"labels\":\"a=b\"}", "labels",
         "cannot unmarshal string into labels: an array of strings is wanted"},
        {"{\"labels\":[\"a=b\",5000]}", "labels",
         "cannot unmarshal number 5000 into labels: a string is wanted"},
        {"{\"runtimes\":[]}", "runtimes",
         "cannot unmarshal array into runtimes: an object of runtimes is wanted"},
        {"{\"runtimes\":{\"kata\":\"/x\"}}", "runtimes.kata",
         "cannot unmarshal string into runtimes.kata: an object with path, runtimeArgs, runtimeType or "
         "options "
         "is wanted"},
        {"{\"runtimes\":{\"kata\":{\"PATH\":5}}}", "runtimes.kata.path",
         "cannot unmarshal number 5 into runtimes.kata.path: a string is wanted"},
        {"{\"runtimes\":{\"kata\":{\"runtimeArgs\":\"-v\"}}}", "runtimes.kata.runtimeArgs",
         "cannot unmarshal string into runtimes.kata.runtimeArgs: an array of strings is wanted"},
        {"{\"runtimes\":{\"kata\":{\"runtimeArgs\":[[]]}}}", "runtimes.kata.runtimeArgs",
         "cannot unmarshal array into runtimes.kata.runtimeArgs: a string is wanted"},
        {"{\"runtimes\":{\"kata\":{\"options\":\"x\"}}}", "runtimes.kata.options",
         "cannot unmarshal string into runtimes.kata.options: an object is wanted"},
        {"{\"log-opts\":{\"max-file\":3}}", "log-opts.max-file",
         "cannot unmarshal number 3 into log-opts.max-file: a string is wanted"},
        {"{\"log-opts\":{\"splunk-token\":31337}}", "log-opts.splunk-token",
         "cannot unmarshal number xxxxx into log-opts.splunk-token: a string is wanted"},
        {"{\"log-opts\":{\"a\\nb\":3}}", "log-opts.a\\nb",
         "cannot unmarshal number 3 into log-opts.a\\nb: a string is wanted"},
        {"{\"features\":{\"buildkit\":\"true\"}}", "features.buildkit",
         "cannot unmarshal string into features.buildkit: a boolean is wanted"},
        {"{\"default-ulimits\":{\"nofile\":{\"hard\":\"1\"}}}", "default-ulimits.nofile.Hard",
         "cannot unmarshal string into default-ulimits.nofile.Hard: an integer is wanted"},
        {"{\"default-address-pools\":[{\"size\":\"24\"}]}", "default-address-pools.size",
         "cannot unmarshal string into default-address-pools.size: an integer is wanted"},
        {"{\"default-network-opts\":{\"bridge\":{\"k\":true}}}", "default-network-opts.bridge.k",
         "cannot unmarshal bool into default-network-opts.bridge.k: a string is wanted"},
        {"{\"nri-opts\":{\"enable\":\"x\"}}", "nri-opts.enable",
         "cannot unmarshal string into nri-opts.enable: a boolean is wanted"},
        {"{\"builder\":[]}", "builder", "cannot unmarshal array into builder: an object is wanted"},
        {"{\"proxies\":\"x\"}", "proxies", "cannot unmarshal string into proxies: an object is wanted"},
        {"{\"proxies\":{\"http-proxy\":true}}", "proxies.http-proxy",
         "cannot unmarshal bool into proxies.http-proxy: a string is wanted"},
        {"{\"default-shm-size\":null}", "default-shm-size",
         "cannot unmarshal null into default-shm-size: a string with a size is wanted"},
        {"{\"default-shm-size\":64}", "default-shm-size",
         "cannot unmarshal number 64 into default-shm-size: a string with a size is wanted"},
        {"{\"default-shm-size\":\"64xb\"}", "default-shm-size", "invalid suffix: 'xb'"},
        {"{\"default-shm-size\":\"lots\"}", "default-shm-size", "invalid size: 'lots'"},
        {"{\"dns\":[\"192.0.2.1\",\"resolver.example\"]}", "dns", "invalid IP address: resolver.example"},
        {"{\"dns\":[\"\"]}", "dns", "invalid IP address: "},
        {"{\"dns\":[\"192.0.2.1%eth0\"]}", "dns", "invalid IP address: 192.0.2.1%eth0"},
        {"{\"ip\":\"http://u:pw@h\"}", "ip", "invalid IP address: http://xxxxx:xxxxx@h"},
        {"{\"ip\":\"1.2.3\"}", "ip", "invalid IP address: 1.2.3"},
        {"[]", "", "invalid JSON: the top level must be an object, found array"},
        {"\"debug\"", "", "invalid JSON: the top level must be an object, found string"},
        {"{\"zeppelin\":1,\"debug\":true,\"aardvark\":\"x\"}", "aardvark",
         "the following directives don't match any configuration option: aardvark, zeppelin"},
        {"{\"Live-Restore\":true}", "Live-Restore",
         "the following directives don't match any configuration option: Live-Restore; did you mean "
         "live-restore instead of Live-Restore?"},
        {"{\"lables\":[],\"aardvark\":1,\"Debug\":1}", "Debug",
         "the following directives don't match any configuration option: Debug, aardvark, lables; did you "
         "mean "
         "debug instead of Debug, labels instead of lables?"},
        {"{\"misc\":{\"debug\":true}}", "misc",
         "the following directives don't match any configuration option: misc"},
        {"{\"proxies\":{\"socks-proxy\":\"x\"}}", "socks-proxy",
         "the following directives don't match any configuration option: socks-proxy"},
        {"{\"proxies\":{\"http://u:p@h\":\"\"}}", "http://xxxxx:xxxxx@h",
         "the following directives don't match any configuration option: http://xxxxx:xxxxx@h"},
        {"{\"proxies\":{\"zz\":1,\"xx\":2},\"yy\":1,\"zz\":1}", "xx",
         "the following directives don't match any configuration option: xx, yy, zz"},
        {"{\"proxies\":{\"http_proxy\":\"x\"}}", "http_proxy",
         "the following directives don't match any configuration option: http_proxy; did you mean http-proxy "
         "instead of http_proxy?"},
        {"{\"proxies.http-proxy\":\"x\"}", "proxies.http-proxy",
         "the following directives don't match any configuration option: proxies.http-proxy; did you mean "
         "proxies instead of proxies.http-proxy?"},
        {"{\"nri-opts\":{\"foo\":1,\"enable\":true}}", "nri-opts.foo",
         "the following directives don't match any configuration option: nri-opts.foo"},
        {"{\"a\\u001bb\":1}", "a\\u001bb",
         "the following directives don't match any configuration option: a\\u001bb"},
        {"{\"\":1}", "", "the following directives don't match any configuration option: "},
        {"{\"//\":1,\"_comment\":1,\"graph\":\"x\"}", "//",
         "the following directives don't match any configuration option: //, _comment, graph"},
        {"{\"runtimes\":{\"\":{\"path\":\"/x\"}}}", "runtimes", "a runtime name must not be empty"},
        {"{\"runtimes\":{\"a\\nb\":{\"path\":\"/x\"}}}", "runtimes",
         "runtime name 'a\\nb' contains a control character"},
        {"{\"runtimes\":{\"a\\u007fb\":{\"path\":\"/x\"}},\"frob\":1,\"debug\":5}", "runtimes",
         "runtime name 'a\\u007fb' contains a control character"},
};

START_TEST(settings_from_tree_bad_value_gives_one_error)
{
	read_text(bad[_i].json);
	ck_assert_uint_eq(problems.errors.count, 1);
	ck_assert_str_eq(problems.errors.items[0].message, bad[_i].message);
	ck_assert_str_eq(problems.errors.items[0].where, bad[_i].where);
	ck_assert_int_eq(problems.errors.items[0].code, -EINVAL);
}
END_TEST

START_TEST(settings_from_tree_bad_key_is_left_unset)
{
	read_text("{\"labels\":[\"a=b\",1],\"debug\":true,\"mtu\":1400}");
	ck_assert(!setting_of("labels")->set);
	assert_json(&setting_of("labels")->value, "[]");
	ck_assert(setting_of("debug")->set);
	ck_assert(setting_of("mtu")->set);
}
END_TEST

START_TEST(settings_from_tree_several_errors_come_in_order)
{
	read_text("{\"zz\":1,\"mtu\":\"x\",\"proxies\":{\"no-proxy\":1,\"http-proxy\":2},\"debug\":1}");
	ck_assert_uint_eq(problems.errors.count, 5);
	ck_assert_str_eq(problems.errors.items[0].where, "zz");
	ck_assert_str_eq(problems.errors.items[1].where, "debug");
	ck_assert_str_eq(problems.errors.items[2].where, "mtu");
	ck_assert_str_eq(problems.errors.items[3].where, "proxies.http-proxy");
	ck_assert_str_eq(problems.errors.items[4].where, "proxies.no-proxy");
}
END_TEST

static const char *const empty[] = {"null", "{}", "{\"proxies\":null}", "{\"proxies\":{}}"};

START_TEST(settings_from_tree_empty_sets_nothing)
{
	read_text(empty[_i]);
	ck_assert_uint_eq(problems.errors.count, 0);
	for (size_t i = 0; i < keys->count; i++)
		ck_assert(!settings.items[i].set);
}
END_TEST

static const struct {
	const char *json, *key, *reason;
} ignored[] = {
        {"{\"label\":5}", "label", "has no effect in a configuration file; use labels"},
        {"{\"http-proxy\":\"x\"}", "http-proxy",
         "has no effect in a configuration file; use proxies.http-proxy"},
        {"{\"validate\":{}}", "validate", "has no effect in a configuration file"},
        {"{\"runtimes\":{\"x\":{\"args\":[],\"path\":\"/x\"}}}", "runtimes.x.args",
         "not known here, and ignored"},
        {"{\"default-ulimits\":{\"x\":{\"foo\":1}}}", "default-ulimits.x.foo", "not known here, and ignored"},
};

START_TEST(settings_from_tree_ignored_key_is_a_warning)
{
	read_text(ignored[_i].json);
	ck_assert_uint_eq(problems.errors.count, 0);
	ck_assert_uint_eq(problems.ignored.count, 1);
	ck_assert_uint_eq(problems.warnings.count, 1);
	ck_assert_str_eq(problems.ignored.items[0].where, ignored[_i].key);
	ck_assert_str_eq(problems.ignored.items[0].message, ignored[_i].reason);
}
END_TEST

START_TEST(settings_from_tree_all_compat_keys_are_accepted)
{
	for (size_t i = 0; i < compat_key_count; i++)
		read_text(arena_printf(arena, "{\"%s\":[1]}", compat_keys[i].name));
	ck_assert_uint_eq(problems.errors.count, 0);
	ck_assert_uint_eq(problems.ignored.count, compat_key_count);
}
END_TEST

START_TEST(settings_from_tree_own_key_has_its_type)
{
	const struct rtreg_key own = {"acme", RTREG_TYPE_INT, RTREG_KEY_KEEP};

	keyset_free(keys);
	ck_assert_int_eq(keyset_new(&own, 1, &keys, NULL), 0);
	read_text("{\"acme\":7}");
	ck_assert_int_eq(setting_of("acme")->value.integer, 7);
	read_text("{\"acme\":\"7\"}");
	ck_assert_str_eq(problems.errors.items[0].message,
	                 "cannot unmarshal string into acme: an integer is wanted");
}
END_TEST

/* A configuration with one runtime, whose name or arguments are so many bytes. */
static struct value tree_of_runtime(size_t name_length, size_t argument_length, uint32_t argument_count)
{
	struct value tree = {.type = VALUE_OBJECT, .count = 1}, runtimes = tree, runtime = tree;
	struct value arguments = {.type = VALUE_ARRAY, .count = argument_count};
	char *name = arena_alloc(arena, name_length + 1), *argument = arena_alloc(arena, argument_length + 1);

	memset(name, 'n', name_length);
	memset(argument, 'a', argument_length);
	arguments.elements = arena_alloc_array(arena, argument_count, sizeof(struct value));
	for (uint32_t i = 0; i < argument_count; i++)
		arguments.elements[i] = value_of_string(argument);
	runtime.members = arena_alloc(arena, sizeof(struct member));
	runtime.members[0] = (struct member){.key = "runtimeargs", .value = arguments};
	runtimes.members = arena_alloc(arena, sizeof(struct member));
	runtimes.members[0] = (struct member){.key = name, .value = runtime};
	tree.members = arena_alloc(arena, sizeof(struct member));
	tree.members[0] = (struct member){.key = "runtimes", .value = runtimes};
	return tree;
}

static const struct {
	size_t name, argument;
	uint32_t count;
	const char *message;
} limits[] = {
        {255, 0, 1, NULL},
        {256, 0, 1, "a runtime name is too long: 256 bytes, at most 255 are allowed"},
        {1, 131071, 1, NULL},
        {1, 131072, 1, "runtime n: an argument is too long: 131072 bytes, at most 131071 are allowed"},
        {1, 65536, 16, NULL},
        {1, 65537, 16, "runtime n: too many arguments: 1048592 bytes, at most 1048576 are allowed"},
};

START_TEST(settings_from_tree_runtime_limits_are_inclusive)
{
	struct value tree = tree_of_runtime(limits[_i].name, limits[_i].argument, limits[_i].count);

	ck_assert_int_eq(settings_from_tree(arena, keys, &tree, &settings, &problems), 0);
	ck_assert_uint_eq(problems.errors.count, limits[_i].message != NULL);
	if (limits[_i].message)
		ck_assert_str_eq(problems.errors.items[0].message, limits[_i].message);
}
END_TEST

static struct value tree_of_runtimes(uint32_t count)
{
	struct value tree = {.type = VALUE_OBJECT, .count = 1};
	struct value runtimes = {.type = VALUE_OBJECT, .count = count};

	runtimes.members = arena_alloc_array(arena, count, sizeof(struct member));
	for (uint32_t i = 0; i < count; i++) {
		struct value runtime = {.type = VALUE_OBJECT, .count = 1};

		runtime.members = arena_alloc(arena, sizeof(struct member));
		runtime.members[0] = (struct member){.key = "path", .value = value_of_string("/x")};
		runtimes.members[i] =
		        (struct member){.key = arena_printf(arena, "r%u", (unsigned)(i * 7919u % 1000003u)),
		                        .value = runtime};
	}
	tree.members = arena_alloc(arena, sizeof(struct member));
	tree.members[0] = (struct member){.key = "runtimes", .value = runtimes};
	return tree;
}

START_TEST(settings_from_tree_most_runtimes_are_accepted_and_sorted)
{
	struct value tree = tree_of_runtimes(RUNTIMES_MAX);
	const struct value *runtimes;

	ck_assert_int_eq(settings_from_tree(arena, keys, &tree, &settings, &problems), 0);
	ck_assert_uint_eq(problems.errors.count, 0);
	runtimes = settings_get(&settings, KEY_ID_RUNTIMES);
	ck_assert_uint_eq(runtimes->count, RUNTIMES_MAX);
	for (uint32_t i = 1; i < runtimes->count; i++)
		ck_assert(strcmp(runtimes->members[i - 1].key, runtimes->members[i].key) < 0);
}
END_TEST

START_TEST(settings_from_tree_one_runtime_too_many_is_an_error)
{
	struct value tree = tree_of_runtimes(RUNTIMES_MAX + 1);

	ck_assert_int_eq(settings_from_tree(arena, keys, &tree, &settings, &problems), 0);
	ck_assert_uint_eq(problems.errors.count, 1);
	ck_assert_str_eq(problems.errors.items[0].message,
	                 "too many runtimes: 100001, at most 100000 are allowed");
	ck_assert(!setting_of("runtimes")->set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tests = tcase_create("settings");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, settings_from_tree_good_value_is_normalised, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tests, settings_from_tree_bad_value_gives_one_error, 0, ARRAY_SIZE(bad));
	tcase_add_test(tests, settings_from_tree_bad_key_is_left_unset);
	tcase_add_test(tests, settings_from_tree_several_errors_come_in_order);
	tcase_add_loop_test(tests, settings_from_tree_empty_sets_nothing, 0, ARRAY_SIZE(empty));
	tcase_add_loop_test(tests, settings_from_tree_ignored_key_is_a_warning, 0, ARRAY_SIZE(ignored));
	tcase_add_test(tests, settings_from_tree_all_compat_keys_are_accepted);
	tcase_add_test(tests, settings_from_tree_own_key_has_its_type);
	tcase_add_loop_test(tests, settings_from_tree_runtime_limits_are_inclusive, 0, ARRAY_SIZE(limits));
	tcase_add_test(tests, settings_from_tree_most_runtimes_are_accepted_and_sorted);
	tcase_add_test(tests, settings_from_tree_one_runtime_too_many_is_an_error);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
