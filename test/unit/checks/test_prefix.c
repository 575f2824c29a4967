/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/prefix.h"

#include "fixture.h"

static const struct {
	const char *text, *masked; /* NULL: no prefix */
} cases[] = {
        {"10.1.2.3/8", "10.0.0.0/8"},
        {"10.1.2.3/32", "10.1.2.3/32"},
        {"10.1.2.3/0", "0.0.0.0/0"},
        {"10.1.2.3/23", "10.1.2.0/23"},
        {"255.255.255.255/9", "255.128.0.0/9"},
        {"2001:DB8:ffff::1/33", "2001:db8:8000::/33"},
        {"::1/128", "::1/128"},
        {"::1/0", "::/0"},
        {"10.1.2.3", NULL},
        {"10.1.2.3/", NULL},
        {"10.1.2.3/33", NULL},
        {"10.1.2.3/-1", NULL},
        {"10.1.2.3/8 ", NULL},
        {"10.1.2.3/4294967304", NULL},
        {"10.01.2.3/8", NULL},
        {"10.1/8", NULL},
        {"/8", NULL},
        {"::1/129", NULL},
        {"fe80::1%eth0/64", NULL},
        {"reg.example/8", NULL},
        {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64", NULL},
};

START_TEST(prefix_mask_prefix_clears_the_host)
{
	char text[PREFIX_STRING_MAX];
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(cases[_i].text, &prefix), cases[_i].masked != NULL);
	if (!cases[_i].masked)
		return;
	prefix_mask(&prefix);
	prefix_format(&prefix, text);
	ck_assert_str_eq(text, cases[_i].masked);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prefix");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, prefix_mask_prefix_clears_the_host, 0, ARRAY_SIZE(cases));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
