/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CONTRACT C1: byte order marks, UTF-16, and the offset of what is no text. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "bytes/encoding.h"
#include "unit.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

struct good {
	const char *bytes;
	size_t size;
	const char *text;
	size_t length;
};

static const struct good good[] = {
        {BYTES(""), BYTES("")},
        {BYTES("{}"), BYTES("{}")},
        {BYTES("a\0b"), BYTES("a\0b")},
        {BYTES("\xef\xbb\xbf"), BYTES("")},
        {BYTES("\xef\xbb\xbf{}"), BYTES("{}")},
        {BYTES("\xef\xbb\xbf\xef\xbb\xbf"), BYTES("\xef\xbb\xbf")},
        {BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3"), BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3")},
        {BYTES("\xff\xfe"), BYTES("")},
        {BYTES("\xfe\xff"), BYTES("")},
        {BYTES("\xff\xfe{\0}\0"), BYTES("{}")},
        {BYTES("\xfe\xff\0{\0}"), BYTES("{}")},
        {BYTES("\xff\xfe\xe9\0\xac\x20"), BYTES("\xc3\xa9\xe2\x82\xac")},
        {BYTES("\xff\xfe\x3d\xd8\x33\xdc"), BYTES("\xf0\x9f\x90\xb3")},
        {BYTES("\xfe\xff\xd8\x3d\xdc\x33"), BYTES("\xf0\x9f\x90\xb3")},
        {BYTES("\xfe\xff\xdb\xff\xdf\xff"), BYTES("\xf4\x8f\xbf\xbf")},
        {BYTES("\xfe\xff\x00\x7f\x00\x80\x07\xff\x08\x00\xff\xff"),
         BYTES("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
        {BYTES("{\0}\0"), BYTES("{\0}\0")},
};

struct bad {
	const char *bytes;
	size_t size;
	const char *message;
};

static const struct bad bad[] = {
        {BYTES("\xff"), "failed to decode configuration JSON at offset 0"},
        {BYTES("{}\xff"), "failed to decode configuration JSON at offset 2"},
        {BYTES("{}\xe2\x82"), "failed to decode configuration JSON at offset 2"},
        {BYTES("{}\xe2\x82}"), "failed to decode configuration JSON at offset 2"},
        {BYTES("caf\xe9\""), "failed to decode configuration JSON at offset 3"},
        {BYTES("a\xc0\x80"), "failed to decode configuration JSON at offset 1"},
        {BYTES("a\xed\xa0\x80"), "failed to decode configuration JSON at offset 1"},
        {BYTES("\xf4\x90\x80\x80"), "failed to decode configuration JSON at offset 0"},
        {BYTES("\xef\xbb\xbf{\x80"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xff\xfe{"), "failed to decode configuration JSON at offset 2"},
        {BYTES("\xff\xfe{\0}"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xff\xfe{\0\x3d\xd8"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xff\xfe{\0\x3d\xd8}\0"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xff\xfe{\0\x33\xdc}\0"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xff\xfe{\0\x33\xdc\x33\xdc"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xfe\xff\0{\xdc\x33\0}"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xfe\xff\0{\xd8\x3d\xd8\x3d"), "failed to decode configuration JSON at offset 4"},
        {BYTES("\xfe\xff\0{\xd8\x3d\xdc"), "failed to decode configuration JSON at offset 4"},
};

START_TEST(encoding_to_utf8_valid_input_gives_text_without_mark)
{
	const struct good *c = &good[_i];
	_cleanup_free_ char *text = NULL;
	size_t length;

	ck_assert_int_eq(encoding_to_utf8(c->bytes, c->size, &text, &length, NULL), 0);
	ck_assert_uint_eq(length, c->length);
	ck_assert_int_eq(memcmp(text, c->text, length + 1), 0); /* the NUL too */
}
END_TEST

START_TEST(encoding_to_utf8_invalid_input_names_the_first_bad_byte)
{
	const struct bad *c = &bad[_i];
	_cleanup_error_ struct rtreg_error error = {0};
	char *text = NULL;
	size_t length = 77;

	ck_assert_int_eq(encoding_to_utf8(c->bytes, c->size, &text, &length, &error), -EINVAL);
	ck_assert_str_eq(error.message, c->message);
	ck_assert_ptr_null(text);
	ck_assert_uint_eq(length, 77);
}
END_TEST

START_TEST(encoding_to_utf8_no_bytes_at_no_address_gives_empty_text)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	ck_assert_int_eq(encoding_to_utf8(NULL, 0, &text, &length, NULL), 0);
	ck_assert_uint_eq(length, 0);
	ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("encoding");
	TCase *tcase = tcase_create("encoding_to_utf8");

	tcase_add_loop_test(tcase, encoding_to_utf8_valid_input_gives_text_without_mark, 0,
	                    (int)ARRAY_SIZE(good));
	tcase_add_loop_test(tcase, encoding_to_utf8_invalid_input_names_the_first_bad_byte, 0,
	                    (int)ARRAY_SIZE(bad));
	tcase_add_test(tcase, encoding_to_utf8_no_bytes_at_no_address_gives_empty_text);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
