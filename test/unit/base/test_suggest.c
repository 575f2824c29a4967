/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>

#include "base/suggest.h"
#include "base/visible.h"
#include "unit.h"

static const struct {
	const char *name, *nearest;
} cases[] = {
        {"labels", "labels"},
        {"Labels", "labels"},
        {"lables", "labels"},
        {"label", "labels"},
        {"laabels", "labels"},
        {"live_restore", "live-restore"},
        {"LiveRestore", "live-restore"},
        {"hsots", "hosts"},
        {"zeppelin", NULL},
        {"ip", "ip"},
        {"ipp", "ip"},
        {"xx", NULL},
        {"deb", "debug"},
        {"li", NULL},
        {"", NULL},
        {"liiiiiiiiive-restore", NULL},
        {"live-restore-live-restore-live-restore-live-restore-live-restore-live-restore", NULL},
};

START_TEST(suggest_nearest_case_gives_expected)
{
	static const char *const known[] = {"debug", "labels", NULL, "live-restore", "hosts", "ip"};

	ck_assert_pstr_eq(suggest_nearest(cases[_i].name, known, ARRAY_SIZE(known)), cases[_i].nearest);
}
END_TEST

START_TEST(suggest_offer_equally_near_keeps_the_first)
{
	struct suggestion suggestion = {.name = "tlskez"};

	suggest_offer(&suggestion, "tlskey");
	suggest_offer(&suggestion, "tlsket");
	ck_assert_str_eq(suggestion.nearest, "tlskey");
}
END_TEST

START_TEST(visible_append_control_characters_escapes_them)
{
	_cleanup_text_ struct text text = {0};

	visible_append(&text, "a\nb\tc\x1b[1m\x7f\xc3\xa9 'd'");
	ck_assert_str_eq(text_string(&text), "a\\nb\\tc\\u001b[1m\\u007f\xc3\xa9 'd'");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suggest");
	TCase *tests = tcase_create("suggest");

	tcase_add_loop_test(tests, suggest_nearest_case_gives_expected, 0, ARRAY_SIZE(cases));
	tcase_add_test(tests, suggest_offer_equally_near_keeps_the_first);
	tcase_add_test(tests, visible_append_control_characters_escapes_them);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
