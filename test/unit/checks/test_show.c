/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/show.h"

#include "fixture.h"

static const struct {
	const char *text;
	bool valid;
	const char *masked;
} masks[] = {
        {"", true, ""},
        {"https://m", true, "https://m"},
        {"https://jo:pw@m", true, "https://jo:xxxxx@m"},
        {"https://jo@m", true, "https://jo:xxxxx@m"},
        {"https://jo:p@w@m", true, "https://jo:xxxxx@m"},
        {"https://m/a:b@c", true, "https://m/a:b@c"},
        {"https://m:1/a:b@c", false, "https://m:xxxxx@c"},
        {"https://jo:p/w@m", false, "https://jo:xxxxx@m"},
        {"jo:pw@m", false, "jo:xxxxx@m"},
        {"jo:pw://@m", false, "jo:xxxxx@m"},
        {"@", true, ":xxxxx@"},
};

START_TEST(show_masked_text_hides_the_password)
{
	_cleanup_free_ char *shown = show_masked(masks[_i].text, masks[_i].valid);

	ck_assert_str_eq(shown, masks[_i].masked);
}
END_TEST

START_TEST(show_quoted_text_stays_on_its_line)
{
	_cleanup_free_ char *shown = show_quoted("a\"\\\n\t\x1b\x7f\xc3\xa9");

	ck_assert_str_eq(shown, "\"a\\\"\\\\\\n\\t\\x1b\\x7f\xc3\xa9\"");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("show");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, show_masked_text_hides_the_password, 0, ARRAY_SIZE(masks));
	tcase_add_test(tcase, show_quoted_text_stays_on_its_line);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
