/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/url.h"

#include <stdio.h>

#include "fixture.h"

/* The parts as "scheme|user|host|port|path|query|fragment", "-" for one that is not there. */
static const struct {
	const char *text, *parts, *reason;
} cases[] = {
        {"https://m", "https|-|m|-||-|-", NULL},
        {"https://u:p@m:5000/a/b?q=1#f", "https|u:p|m|5000|/a/b|q=1|f", NULL},
        {"tcp://[::1]:2375", "tcp|-|::1|2375||-|-", NULL},
        {"tcp://[fe80::1%25eth0]", "tcp|-|fe80::1%25eth0|-||-|-", NULL},
        {"tcp://h:", "tcp|-|h|||-|-", NULL},
        {"tcp://h:x", "tcp|-|h|x||-|-", NULL},
        {"https:///p", "https|-||-|/p|-|-", NULL},
        {"https://m?a?b#c#d", "https|-|m|-||a?b|c#d", NULL},
        {"https://m#f?q", "https|-|m|-||-|f?q", NULL},
        {"https://a@b@m", "https|a@b|m|-||-|-", NULL},
        {"https://m%20x", "https|-|m%20x|-||-|-", NULL},
        {"a/b:c", "-|-|-|-|a/b:c|-|-", NULL},
        {"", "-|-|-|-||-|-", NULL},
        {"1a://m", NULL, "invalid scheme"},
        {"://m", NULL, "invalid scheme"},
        {"https://m\x01", NULL, "control character"},
        {"https://a:b:1", NULL, "too many colons in host, an IPv6 address needs brackets"},
        {"https://[::1", NULL, "missing ']' in host"},
        {"https://[::1]x", NULL, "unexpected text after ']' in host"},
        {"https://[::g]", NULL, "invalid IPv6 address in host"},
        {"https://a^b", NULL, "invalid character in host name"},
        {"https://m%2", NULL, "invalid character in host name"},
        {"https://a^@m", NULL, "invalid user info"},
        {"https://m/%g0", NULL, "invalid escape in path"},
        {"https://m#%", NULL, "invalid escape in fragment"},
};

static void append_part(struct text *text, struct span part)
{
	if (text->length > 0)
		text_append_char(text, '|');
	if (part.start)
		text_append_n(text, part.start, part.length);
	else
		text_append_char(text, '-');
}

START_TEST(url_parse_text_gives_parts_or_reason)
{
	_cleanup_text_ struct text text = {0};
	const char *reason = NULL;
	struct url url;

	ck_assert_int_eq(url_parse(cases[_i].text, &url, &reason), cases[_i].reason ? -EINVAL : 0);
	if (cases[_i].reason) {
		ck_assert_str_eq(reason, cases[_i].reason);
		return;
	}
	append_part(&text, url.scheme);
	append_part(&text, url.user);
	append_part(&text, url.host);
	append_part(&text, url.port);
	append_part(&text, url.path);
	append_part(&text, url.query);
	append_part(&text, url.fragment);
	ck_assert_str_eq(text_string(&text), cases[_i].parts);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("url");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, url_parse_text_gives_parts_or_reason, 0, ARRAY_SIZE(cases));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
