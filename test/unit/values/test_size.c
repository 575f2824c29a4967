/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>

#include "base/problems.h"
#include "unit.h"
#include "values/size.h"

static const struct {
	const char *string;
	int64_t bytes;
	const char *message; /* instead of bytes */
} cases[] = {
        {"0", 0, NULL},
        {"64", 64, NULL},
        {"64b", 64, NULL},
        {"64B", 64, NULL},
        {"128M", 128LL << 20, NULL},
        {"128mb", 128LL << 20, NULL},
        {"1GiB", 1LL << 30, NULL},
        {"1gib", 1LL << 30, NULL},
        {"2k", 2048, NULL},
        {"3T", 3LL << 40, NULL},
        {"4p", 4LL << 50, NULL},
        {"1.5g", 3LL << 29, NULL},
        {".5k", 512, NULL},
        {"0.3k", 307, NULL},
        {"1.0000000000000000000000000000000000001k", 1024, NULL},
        {"64 MB", 64LL << 20, NULL},
        {"64 ", 64, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"9223372036854775808", 0, "invalid size: '9223372036854775808'"},
        {"8192p", 0, "invalid size: '8192p'"},
        {"99999999999999999999999999999999999999999999", 0,
         "invalid size: '99999999999999999999999999999999999999999999'"},
        {"340282366920938463463374607431768211456", 0, /* 2^128 */
         "invalid size: '340282366920938463463374607431768211456'"},
        {"", 0, "invalid size: ''"},
        {"lots", 0, "invalid size: 'lots'"},
        {"m", 0, "invalid size: 'm'"},
        {".", 0, "invalid size: '.'"},
        {"-1", 0, "invalid size: '-1'"},
        {"+1", 0, "invalid size: '+1'"},
        {"1e3", 0, "invalid size: '1e3'"},
        {"0x10", 0, "invalid size: '0x10'"},
        {"1.5.2g", 0, "invalid size: '1.5.2g'"},
        {"64  MB", 0, "invalid size: '64  MB'"},
        {" 64", 0, "invalid size: ' 64'"},
        {"1,5g", 0, "invalid size: '1,5g'"},
        {"64xb", 0, "invalid suffix: 'xb'"},
        {"64mib ", 0, "invalid size: '64mib '"},
        {"64bb", 0, "invalid suffix: 'bb'"},
        {"64ki", 0, "invalid suffix: 'ki'"},
        {"64kibi", 0, "invalid suffix: 'kibi'"},
};

START_TEST(size_parse_case_gives_bytes_or_message)
{
	_cleanup_error_ struct rtreg_error error = {0};
	int64_t bytes = -7;
	int r = size_parse(cases[_i].string, &bytes, &error);

	if (cases[_i].message) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_str_eq(error.message, cases[_i].message);
		ck_assert_int_eq(bytes, -7);
	} else {
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(bytes, cases[_i].bytes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("size");
	TCase *tests = tcase_create("size");

	tcase_add_loop_test(tests, size_parse_case_gives_bytes_or_message, 0, ARRAY_SIZE(cases));
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
