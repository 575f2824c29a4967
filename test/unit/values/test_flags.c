/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>

#include "base/problems.h"
#include "tree.h"
#include "unit.h"
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

static void read_flags(const struct rtreg_flag *flags, size_t count)
{
	ck_assert_int_eq(settings_from_flags(arena, keys, flags, count, &settings, &problems), 0);
	ck_assert(!problems.failed);
}

static const struct {
	struct rtreg_flag flags[3];
	const char *key, *value;
} good[] = {
        {{{"debug", NULL}}, "debug", "true"},
        {{{"debug", "false"}}, "debug", "false"},
        {{{"debug", "1"}, {"debug", "0"}}, "debug", "false"},
        {{{"log-level", ""}}, "log-level", "\"\""},
        {{{"log-level", "warn"}, {"log-level", "info"}}, "log-level", "\"info\""},
        {{{"mtu", "-3"}}, "mtu", "-3"},
        {{{"shutdown-timeout", "9223372036854775807"}}, "shutdown-timeout", "9223372036854775807"},
        {{{"default-shm-size", "1k"}}, "default-shm-size", "1024"},
        {{{"ip", "192.0.2.1"}}, "ip", "\"192.0.2.1\""},
        {{{"label", "b=2"}, {"label", "a=1"}, {"label", "b=2"}}, "labels", "[\"b=2\",\"a=1\",\"b=2\"]"},
        {{{"dns", "::1"}, {"dns", "192.0.2.1"}}, "dns", "[\"::1\",\"192.0.2.1\"]"},
        {{{"host-gateway-ip", "192.0.2.1"}}, "host-gateway-ips", "[\"192.0.2.1\"]"},
        {{{"log-opt", "z=1"}, {"log-opt", "a=x=y"}, {"log-opt", "z="}},
         "log-opts",
         "{\"a\":\"x=y\",\"z\":\"\"}"},
        {{{"feature", "b"}, {"feature", "a=true"}, {"feature", "c=0"}},
         "features",
         "{\"a\":true,\"b\":true,\"c\":false}"},
        {{{"default-ulimit", "nofile=1024:2048"}, {"default-ulimit", "core=-1"}},
         "default-ulimits",
         "{\"core\":{\"Hard\":-1,\"Name\":\"core\",\"Soft\":-1},"
         "\"nofile\":{\"Hard\":2048,\"Name\":\"nofile\",\"Soft\":1024}}"},
        {{{"default-network-opt", "bridge=k=v"},
          {"default-network-opt", "bridge=a=b=c"},
          {"default-network-opt", "a=x=y"}},
         "default-network-opts",
         "{\"a\":{\"x\":\"y\"},\"bridge\":{\"a\":\"b=c\",\"k\":\"v\"}}"},
        {{{"default-address-pool", "size=24,base=10.0.0.0/8"}},
         "default-address-pools",
         "[{\"base\":\"10.0.0.0/8\",\"size\":24}]"},
        {{{"add-runtime", "Kata=/k=1"}, {"add-runtime", "a b=x"}},
         "runtimes",
         "{\"Kata\":{\"path\":\"/k=1\"},\"a b\":{\"path\":\"x\"}}"},
        {{{"http-proxy", "http://u:p@h"}}, "proxies.http-proxy", "\"http://u:p@h\""},
};

START_TEST(settings_from_flags_good_flags_give_the_value)
{
	_cleanup_text_ struct text text = {0};
	const struct setting *setting;
	size_t count = 0;

	while (count < 3 && good[_i].flags[count].name)
		count++;
	read_flags(good[_i].flags, count);
	ck_assert_uint_eq(problems.errors.count, 0);
	setting = &settings.items[keyset_find(keys, good[_i].key)];
	ck_assert(setting->set);
	ck_assert_int_eq(setting->origin, ORIGIN_FLAG);
	value_write(&text, &setting->value);
	ck_assert_str_eq(text_string(&text), good[_i].value);
}
END_TEST

static const struct {
	struct rtreg_flag flag;
	const char *message;
} bad[] = {
        {{"frobnicate", "x"}, "flag --frobnicate: unknown flag"},
        {{"lable", "x"}, "flag --lable: unknown flag; did you mean --label?"},
        {{NULL, "x"}, "flag --: unknown flag"},
        {{"http-proxi=http://u:p@h", "x"}, "flag --xxxxx:xxxxx@h: unknown flag"},
        {{"group", "x"}, "flag --group: unknown flag"},
        {{"mtu", "x"}, "flag --mtu: invalid value \"x\": an integer is wanted"},
        {{"mtu", ""}, "flag --mtu: invalid value \"\": an integer is wanted"},
        {{"mtu", "0x10"}, "flag --mtu: invalid value \"0x10\": an integer is wanted"},
        {{"mtu", "+1"}, "flag --mtu: invalid value \"+1\": an integer is wanted"},
        {{"mtu", " 1"}, "flag --mtu: invalid value \" 1\": an integer is wanted"},
        {{"mtu", "9223372036854775808"},
         "flag --mtu: invalid value \"9223372036854775808\": an integer is wanted"},
        {{"mtu", NULL}, "flag --mtu: a value is wanted"},
        {{"debug", "yes"}, "flag --debug: invalid value \"yes\": true or false is wanted"},
        {{"debug", ""}, "flag --debug: invalid value \"\": true or false is wanted"},
        {{"dns", "x"}, "flag --dns: invalid value \"x\": an IP address is wanted"},
        {{"dns", ""}, "flag --dns: invalid value \"\": an IP address is wanted"},
        {{"ip", "x"}, "flag --ip: invalid value \"x\": an IP address is wanted"},
        {{"default-shm-size", "1x"}, "flag --default-shm-size: invalid value \"1x\": invalid suffix: 'x'"},
        {{"log-opt", "x"}, "flag --log-opt: invalid value \"x\": NAME=VALUE is wanted"},
        {{"log-opt", "=x"}, "flag --log-opt: invalid value \"=x\": NAME=VALUE is wanted"},
        {{"log-opt", "splunk-token:s3"}, "flag --log-opt: invalid value \"xxxxx\": NAME=VALUE is wanted"},
        {{"feature", "x=maybe"},
         "flag --feature: invalid value \"x=maybe\": NAME, NAME=true or NAME=false is wanted"},
        {{"feature", ""}, "flag --feature: invalid value \"\": NAME, NAME=true or NAME=false is wanted"},
        {{"default-network-opt", "bridge=k"},
         "flag --default-network-opt: invalid value \"bridge=k\": DRIVER=NAME=VALUE is wanted"},
        {{"default-ulimit", "nofile"},
         "flag --default-ulimit: invalid value \"nofile\": NAME=SOFT or NAME=SOFT:HARD is wanted"},
        {{"default-ulimit", "nofile=1:2:3"},
         "flag --default-ulimit: invalid value \"nofile=1:2:3\": NAME=SOFT or NAME=SOFT:HARD is wanted"},
        {{"default-ulimit", "nofile=3:2"},
         "flag --default-ulimit: invalid value \"nofile=3:2\": the soft limit must not be above the hard "
         "limit"},
        {{"default-address-pool", "base=10.0.0.0/8"},
         "flag --default-address-pool: invalid value \"base=10.0.0.0/8\": base=CIDR,size=N is wanted"},
        {{"default-address-pool", "base=x,size=1,foo=2"},
         "flag --default-address-pool: invalid value \"base=x,size=1,foo=2\": base=CIDR,size=N is wanted"},
        {{"add-runtime", "x"}, "flag --add-runtime: invalid value \"x\": NAME=PATH is wanted"},
        {{"add-runtime", "x="}, "flag --add-runtime: invalid value \"x=\": NAME=PATH is wanted"},
        {{"add-runtime", "=/x"}, "flag --add-runtime: invalid value \"=/x\": NAME=PATH is wanted"},
        {{"add-runtime", "a\nb=/x"},
         "flag --add-runtime: invalid value \"a\\nb=/x\": runtime name 'a\\nb' contains a control character"},
        {{"label", "\xff"}, "flag --label: invalid value \"\xff\": it is not UTF-8"},
};

START_TEST(settings_from_flags_bad_flag_gives_one_error)
{
	read_flags(&bad[_i].flag, 1);
	ck_assert_uint_eq(problems.errors.count, 1);
	ck_assert_str_eq(problems.errors.items[0].message, bad[_i].message);
	for (size_t i = 0; i < keys->count; i++)
		ck_assert(!settings.items[i].set);
}
END_TEST

START_TEST(settings_from_flags_runtime_twice_is_an_error)
{
	const struct rtreg_flag flags[] = {
	        {"add-runtime", "a=/1"}, {"add-runtime", "b=/2"}, {"add-runtime", "a=/1"}};

	read_flags(flags, ARRAY_SIZE(flags));
	ck_assert_uint_eq(problems.errors.count, 1);
	ck_assert_str_eq(problems.errors.items[0].message, "flag --add-runtime: runtime a is given twice");
	ck_assert(!settings.items[KEY_ID_RUNTIMES].set);
}
END_TEST

START_TEST(settings_from_flags_many_labels_keep_their_order)
{
	struct rtreg_flag flags[100];

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		flags[i] = (struct rtreg_flag){"label", arena_printf(arena, "l%zu=x", i)};
	read_flags(flags, ARRAY_SIZE(flags));
	ck_assert_uint_eq(settings_get(&settings, KEY_ID_LABELS)->count, ARRAY_SIZE(flags));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		ck_assert_str_eq(settings_get(&settings, KEY_ID_LABELS)->elements[i].string, flags[i].value);
}
END_TEST

static void conflicts_with(const struct rtreg_flag *flags, size_t count, const char *json)
{
	struct value tree = tree_of(arena, json);
	struct settings file;

	read_flags(flags, count);
	ck_assert_int_eq(settings_from_tree(arena, keys, &tree, &file, &problems), 0);
	ck_assert_uint_eq(problems.errors.count, 0);
	settings_conflicts(&settings, &file, &problems);
	ck_assert(!problems.failed);
}

START_TEST(settings_conflicts_keys_in_both_are_listed_by_name)
{
	const struct rtreg_flag flags[] = {
	        {"label", "a=b"},   {"debug", NULL},  {"mtu", "1400"},  {"http-proxy", "http://u:p@h"},
	        {"log-opt", "k=1"}, {"label", "c=d"}, {"icc", "false"}, {"default-shm-size", "1k"}};

	conflicts_with(flags, ARRAY_SIZE(flags),
	               "{\"proxies\":{\"http-proxy\":\"u:p@x\"},\"labels\":[],\"debug\":false,"
	               "\"log-opts\":{\"a-token\":\"s\",\"k\":\"2\"},\"live-restore\":true}");
	ck_assert_uint_eq(problems.errors.count, 1);
	ck_assert_str_eq(
	        problems.errors.items[0].message,
	        "the following directives are specified both as a flag and in the configuration file: "
	        "debug: (from flag: true, from file: false), labels: (from flag: [a=b c=d], from file: []), "
	        "log-opts: (from flag: map[k:1], from file: map[a-token:xxxxx k:2]), proxies.http-proxy: "
	        "(from flag: "
	        "http://xxxxx:xxxxx@h, from file: xxxxx:xxxxx@x)");
}
END_TEST

START_TEST(settings_conflicts_runtimes_are_none)
{
	const struct rtreg_flag flags[] = {{"add-runtime", "a=/1"}, {"debug", NULL}};

	conflicts_with(flags, ARRAY_SIZE(flags), "{\"runtimes\":{\"a\":{\"path\":\"/2\"}},\"labels\":[]}");
	ck_assert_uint_eq(problems.errors.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flags");
	TCase *tests = tcase_create("flags");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, settings_from_flags_good_flags_give_the_value, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tests, settings_from_flags_bad_flag_gives_one_error, 0, ARRAY_SIZE(bad));
	tcase_add_test(tests, settings_from_flags_runtime_twice_is_an_error);
	tcase_add_test(tests, settings_from_flags_many_labels_keep_their_order);
	tcase_add_test(tests, settings_conflicts_keys_in_both_are_listed_by_name);
	tcase_add_test(tests, settings_conflicts_runtimes_are_none);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
