/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define NO_SCHEME(mirror) \
	"invalid mirror: no scheme specified for \"" mirror "\": must use either 'https://' or 'http://'"
#define SCHEME(scheme, mirror)                                           \
	"invalid mirror: unsupported scheme \"" scheme "\" in \"" mirror \
	"\": must use either 'https://' or 'http://'"
#define NOT_URI(mirror, reason) "invalid mirror: \"" mirror "\" is not a valid URI: " reason
#define QUERY(mirror)           "invalid mirror: query or fragment at end of the URI \"" mirror "\""
#define USER(mirror)            "invalid mirror: username/password not allowed in URI \"" mirror "\""

static const struct list_case mirrors[] = {
        {{"https://mirror.example", "http://mirror.example:5000/", "HTTPS://Mirror.Example/V1//"}, {NULL}},
        {{"https://[2001:db8::1]:5000", "https://192.0.2.1/a/b", "https://m/a:b@c"}, {NULL}},
        {{"mirror.example", "mirror.example:5000", "", "://m"},
         {NO_SCHEME("mirror.example"), NO_SCHEME("mirror.example:5000"), NO_SCHEME(""), NO_SCHEME("://m")}},
        {{"ftp://m", "FTP://m"}, {SCHEME("ftp", "ftp://m"), SCHEME("ftp", "FTP://m")}},
        {{"!invalid!://%as%"}, {NOT_URI("!invalid!://%as%", "invalid scheme")}},
        {{"https://m:port"}, {NOT_URI("https://m:port", "invalid port after host")}},
        {{"https://a b"}, {NOT_URI("https://a b", "invalid character in host name")}},
        {{"https://m/%zz"}, {NOT_URI("https://m/%zz", "invalid escape in path")}},
        {{"https://m/\n\"x"}, {NOT_URI("https://m/\\n\\\"x", "control character")}},
        {{"https://m/?q=1", "https://m#frag", "https://m/v1/?a:b@c"},
         {QUERY("https://m/?q=1"), QUERY("https://m#frag"), QUERY("https://m/v1/?a:b@c")}},
        {{"https://u:hunter2@m", "https://v@m", "https://u:@m/"},
         {USER("https://u:xxxxx@m"), USER("https://v:xxxxx@m"), USER("https://u:xxxxx@m/")}},
};

START_TEST(check_mirrors_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_REGISTRY_MIRRORS, "registry-mirrors", &mirrors[_i]);
}
END_TEST

/* Whatever is wrong with it, a password is not shown. */
static const struct list_case secret_mirrors[] = {
        {{"jo:hunter2@m"}, {NO_SCHEME("jo:xxxxx@m")}},
        {{"ftp://jo:hunter2@m"}, {SCHEME("ftp", "ftp://jo:xxxxx@m")}},
        {{"https://jo:hunter2@m?x"}, {QUERY("https://jo:xxxxx@m?x")}},
        {{"https://jo:hun@ter2@m"}, {USER("https://jo:xxxxx@m")}},
        {{"https://jo:hunter2@m:port"}, {NOT_URI("https://jo:xxxxx@m:port", "invalid port after host")}},
        {{"https://jo:hun/ter2@m"}, {NOT_URI("https://jo:xxxxx@m", "invalid port after host")}},
        {{"https://jo:hun?ter2@m"}, {NOT_URI("https://jo:xxxxx@m", "invalid port after host")}},
        {{"https://jo:hun ter2@m"}, {NOT_URI("https://jo:xxxxx@m", "invalid user info")}},
};

START_TEST(check_mirrors_with_password_does_not_show_it)
{
	fixture_run_list(KEY_ID_REGISTRY_MIRRORS, "registry-mirrors", &secret_mirrors[_i]);
}
END_TEST

#define HOST(registry, host) "insecure registry " registry " is not valid: invalid host \"" host "\""
#define PORT(registry, port) "insecure registry " registry " is not valid: invalid port \"" port "\""
#define HYPHEN(name)         "invalid index name (" name "). Cannot begin or end with a hyphen"
#define SEPARATOR(name)      "insecure registry " name " should not contain '://'"

static const struct list_case registries[] = {
        {{"reg.example", "Reg-1.example:5000", "localhost:0", "a:65535", "1.2"}, {NULL}},
        {{"192.0.2.1", "192.0.2.1:5000", "192.0.2.1:", "10.1.2.3/8"}, {NULL}},
        {{"::1", "2001:db8::1", "[::1]", "[::1]:5000", "2001:db8::/32"}, {NULL}},
        {{"http://reg.example", "HTTPS://reg.example:5000", "http://10.0.0.0/8"}, {NULL}},
        {{"-reg.example", "reg.example-", "-"},
         {HYPHEN("-reg.example"), HYPHEN("reg.example-"), HYPHEN("-")}},
        {{"ftp://reg.example", "://x"}, {SEPARATOR("ftp://reg.example"), SEPARATOR("://x")}},
        {{"reg.example:65536", "reg.example:99999999999999999999", "192.0.2.1:x"},
         {PORT("reg.example:65536", "65536"),
          PORT("reg.example:99999999999999999999", "99999999999999999999"), PORT("192.0.2.1:x", "x")}},
        {{"", "reg_1", "mytest-.com", "reg.example/path", ":5000"},
         {HOST("", ""), HOST("reg_1", "reg_1"), HOST("mytest-.com", "mytest-.com"),
          HOST("reg.example/path", "reg.example/path"), HOST(":5000", "")}},
        {{"reg.example:", "reg.example:x", "1200:0:AB00:1234:0:2552:7777:1313:8080", "http://"},
         {HOST("reg.example:", "reg.example"), HOST("reg.example:x", "reg.example"),
          HOST("1200:0:AB00:1234:0:2552:7777:1313:8080", "1200:0:AB00:1234:0:2552:7777:1313:8080"),
          HOST("", "")}},
        {{"10.0.0.0/33", "[::1%eth0]:80", "[x]:80"},
         {HOST("10.0.0.0/33", "10.0.0.0/33"), HOST("[::1%eth0]:80", "::1%eth0"), HOST("[x]:80", "x")}},
        {{"jo:hunter2@reg.example:5000", "192.0.2.1:hunter2@reg", "http://jo:hunter2@reg"},
         {HOST("jo:xxxxx@reg.example:5000", "jo:xxxxx@reg.example:5000"),
          HOST("192.0.2.1:xxxxx@reg", "192.0.2.1:xxxxx@reg"), HOST("jo:xxxxx@reg", "jo:xxxxx@reg")}},
        {{"ftp://jo:hun/ter2@reg", "-jo:hunter2@reg"},
         {SEPARATOR("ftp://jo:xxxxx@reg"), HYPHEN("-jo:xxxxx@reg")}},
};

START_TEST(check_insecure_registries_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_INSECURE_REGISTRIES, "insecure-registries", &registries[_i]);
}
END_TEST

static const struct {
	const char *registry, *warning; /* NULL: none */
} prefixes[] = {
        {"reg.example:5000", NULL},
        {"ftp://reg.example", NULL},
        {"http://reg.example:5000", "insecure registry reg.example:5000: the prefix 'http://' is not part of "
                                    "a registry's name and was removed"},
        {"HTTPS://jo:hunter2@reg", "insecure registry jo:xxxxx@reg: the prefix 'HTTPS://' is not part of a "
                                   "registry's name and was removed"},
};

START_TEST(check_insecure_registries_http_prefix_warns)
{
	const char *values[] = {prefixes[_i].registry, NULL};
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, KEY_ID_INSECURE_REGISTRIES, fixture_list(&fixture, values));
	checks_run(&fixture.settings, &fixture.problems);
	ck_assert_uint_eq(fixture.problems.warnings.count, prefixes[_i].warning ? 1 : 0);
	if (prefixes[_i].warning) {
		ck_assert_str_eq(fixture.problems.warnings.items[0].message, prefixes[_i].warning);
		ck_assert_str_eq(fixture.problems.warnings.items[0].where, "insecure-registries");
	}
	fixture_fini(&fixture);
}
END_TEST

static const struct {
	const char *mirrors[LIST_MAX], *insecure[LIST_MAX], *expected;
} lists[] = {
        {{NULL}, {NULL}, "[][\"::1/128\",\"127.0.0.0/8\"][]"},
        {{"https://m", "https://m/", "https://M//", "HTTPS://m"},
         {NULL},
         "[\"https://m/\",\"https://M//\",\"HTTPS://m/\"][\"::1/128\",\"127.0.0.0/8\"][]"},
        {{NULL},
         {"10.1.2.3/8", "127.0.0.1/8", "2001:db8::1/32", "http://10.9.9.9/8", "0.0.0.0/0", "10.0.0.129/25"},
         "[][\"::1/128\",\"127.0.0.0/8\",\"10.0.0.0/8\",\"2001:db8::/32\",\"0.0.0.0/0\","
         "\"10.0.0.128/25\"][]"},
        {{NULL},
         {"http://reg:5000", "reg", "reg:5000", "::1"},
         "[][\"::1/128\",\"127.0.0.0/8\"][\"reg:5000\",\"reg\",\"::1\"]"},
};

START_TEST(registry_lists_make_settings_gives_lists)
{
	_cleanup_text_ struct text text = {0};
	struct value mirror_list, insecure_list;
	struct registry_lists made;
	struct fixture fixture;

	fixture_init(&fixture);
	mirror_list = fixture_list(&fixture, lists[_i].mirrors);
	insecure_list = fixture_list(&fixture, lists[_i].insecure);
	ck_assert_int_eq(registry_lists_make(fixture.arena, &mirror_list, &insecure_list, &made), 0);
	for (int i = 0; i < 3; i++) {
		_cleanup_text_ struct text one = {0};

		value_write(&one, i == 0   ? &made.mirrors
		                  : i == 1 ? &made.insecure_cidrs
		                           : &made.insecure_hosts);
		text_append(&text, text_string(&one));
	}
	ck_assert_str_eq(text_string(&text), lists[_i].expected);
	fixture_fini(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check_registry");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, check_mirrors_list_says_what_is_wrong, 0, ARRAY_SIZE(mirrors));
	tcase_add_loop_test(tcase, check_mirrors_with_password_does_not_show_it, 0,
	                    ARRAY_SIZE(secret_mirrors));
	tcase_add_loop_test(tcase, check_insecure_registries_list_says_what_is_wrong, 0,
	                    ARRAY_SIZE(registries));
	tcase_add_loop_test(tcase, check_insecure_registries_http_prefix_warns, 0, ARRAY_SIZE(prefixes));
	tcase_add_loop_test(tcase, registry_lists_make_settings_gives_lists, 0, ARRAY_SIZE(lists));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
