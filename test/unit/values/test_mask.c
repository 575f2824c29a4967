/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <string.h>

#include "tree.h"
#include "unit.h"
#include "values/mask.h"

static const struct {
	const char *url, *shown;
} urls[] = {
        {"", ""},
        {"http://proxy:3128", "http://proxy:3128"},
        {"http://jo:pw@proxy:3128", "http://xxxxx:xxxxx@proxy:3128"},
        {"https://jo@proxy", "https://xxxxx:xxxxx@proxy"},
        {"HTTP://jo:pw@proxy/", "HTTP://xxxxx:xxxxx@proxy/"},
        {"jo:pw@proxy:3128", "xxxxx:xxxxx@proxy:3128"},
        {"token@proxy", "xxxxx:xxxxx@proxy"},
        {"http:jo:pw@proxy", "xxxxx:xxxxx@proxy"},
        {"http://jo:p@w@proxy", "http://xxxxx:xxxxx@proxy"},
        {"http://jo:p/w@proxy", "http://xxxxx:xxxxx@proxy"},
        {"http://jo:p?w#x@proxy", "http://xxxxx:xxxxx@proxy"},
        {"jo:p://w@proxy", "xxxxx:xxxxx@proxy"},
        {"http://:pw@proxy", "http://xxxxx:xxxxx@proxy"},
        {"http://jo:pw@", "http://xxxxx:xxxxx@"},
        {"http://@proxy", "http://@proxy"},
        {"@proxy", "@proxy"},
        {"unix:///run/a@b.sock", "unix:///run/a@b.sock"},
        {"unix://@abstract", "unix://@abstract"},
};

START_TEST(mask_url_case_hides_user_info)
{
	_cleanup_text_ struct text text = {0};

	mask_url(&text, urls[_i].url);
	ck_assert_str_eq(text_string(&text), urls[_i].shown);
}
END_TEST

static const struct {
	const char *key, *value, *written, *printed;
} values[] = {
        {"debug", "true", "true", "true"},
        {"mtu", "-3", "-3", "-3"},
        {"default-shm-size", "67108864", "\"67108864\"", "67108864"},
        {"log-driver", "\"a \\\"b\\\"\\n\"", "\"a \\\"b\\\"\\n\"", "a \"b\"\\n"},
        {"labels", "[]", "[]", "[]"},
        {"labels", "[\"a=b\",\"c@d=e\"]", "[\"a=b\",\"c@d=e\"]", "[a=b c@d=e]"},
        {"proxies.http-proxy", "\"http://u:p@h\"", "\"http://xxxxx:xxxxx@h\"", "http://xxxxx:xxxxx@h"},
        {"proxies.https-proxy", "\"u:p@h\"", "\"xxxxx:xxxxx@h\"", "xxxxx:xxxxx@h"},
        {"proxies.no-proxy", "\"a,b@c\"", "\"a,b@c\"", "a,b@c"},
        {"registry-mirrors", "[\"https://u:p@h/\",\"https://m\"]",
         "[\"https://xxxxx:xxxxx@h/\",\"https://m\"]", "[https://xxxxx:xxxxx@h/ https://m]"},
        {"hosts", "[\"tcp://u:p@h\"]", "[\"tcp://xxxxx:xxxxx@h\"]", "[tcp://xxxxx:xxxxx@h]"},
        {"log-opts",
         "{\"Splunk-TOKEN\":\"s1\",\"gelf\":\"udp://u:p@h\",\"max-size\":\"10m\",\"tag\":\"a@b\"}",
         "{\"Splunk-TOKEN\":\"xxxxx\",\"gelf\":\"udp://xxxxx:xxxxx@h\",\"max-size\":\"10m\",\"tag\":\"a@b\"}",
         "map[Splunk-TOKEN:xxxxx gelf:udp://xxxxx:xxxxx@h max-size:10m tag:a@b]"},
        {"log-opts", "{\"aws-secret\":\"s\",\"db-Password\":\"s\",\"tls-key\":\"s\"}",
         "{\"aws-secret\":\"xxxxx\",\"db-Password\":\"xxxxx\",\"tls-key\":\"xxxxx\"}",
         "map[aws-secret:xxxxx db-Password:xxxxx tls-key:xxxxx]"},
        {"features", "{\"a\":false,\"b\":true}", "{\"a\":false,\"b\":true}", "map[a:false b:true]"},
        {"default-network-opts", "{\"bridge\":{\"k\":\"v\"}}", "{\"bridge\":{\"k\":\"v\"}}",
         "map[bridge:map[k:v]]"},
        {"builder", "{\"gc\":{\"enabled\":true,\"x\":1.5,\"y\":null}}",
         "{\"gc\":{\"enabled\":true,\"x\":1.5,\"y\":null}}", "map[gc:map[enabled:true x:1.5 y:null]]"},
};

static const struct key_info *find_key(const char *name)
{
	for (size_t i = 0; i < builtin_key_count; i++)
		if (strcmp(builtin_keys[i].name, name) == 0)
			return &builtin_keys[i];
	ck_abort_msg("no key %s", name);
}

START_TEST(mask_write_case_hides_secrets)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_text_ struct text text = {0};
	struct value value = tree_of(arena, values[_i].value);

	mask_write(&text, find_key(values[_i].key), &value);
	ck_assert_str_eq(text_string(&text), values[_i].written);
}
END_TEST

START_TEST(mask_print_case_hides_secrets)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_text_ struct text text = {0};
	struct value value = tree_of(arena, values[_i].value);

	mask_print(&text, find_key(values[_i].key), &value);
	ck_assert_str_eq(text_string(&text), values[_i].printed);
}
END_TEST

/* What is shown of a name of 300 bytes that begins so; none of it behind the cut. */
static const struct {
	const char *begin, *shown;
} names[] = {
        {"", NULL},
        {"http://u:p@h", "xxxxx\xe2\x80\xa6"},
        {"x=http://", "xxxxx\xe2\x80\xa6"},
};

START_TEST(mask_name_long_name_is_cut)
{
	_cleanup_text_ struct text text = {0};
	char name[301];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memcpy(name, names[_i].begin, strlen(names[_i].begin));
	mask_name(&text, name);
	if (names[_i].shown)
		ck_assert_str_eq(text_string(&text), names[_i].shown);
	else
		ck_assert_uint_eq(text.length, 256 + strlen("\xe2\x80\xa6"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mask");
	TCase *tests = tcase_create("mask");

	tcase_add_loop_test(tests, mask_url_case_hides_user_info, 0, ARRAY_SIZE(urls));
	tcase_add_loop_test(tests, mask_name_long_name_is_cut, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(tests, mask_write_case_hides_secrets, 0, ARRAY_SIZE(values));
	tcase_add_loop_test(tests, mask_print_case_hides_secrets, 0, ARRAY_SIZE(values));
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
