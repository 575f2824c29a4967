/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations made to be slow: many keys, many doubles, one long name above many members, and the like. A
 * few megabytes each; work that grows with the square of that takes minutes, and the test's time runs out.
 * Neither an error nor a warning becomes as long as the file.
 */
#include <check.h>
#include <errno.h>
#include <rtreg/rtreg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MEBIBYTE ((size_t)1 << 20)
#define LONGEST  8192 /* of a message, control characters written out */

static struct text text;

static void add_filler(size_t length)
{
	char *filler = malloc(length + 1);

	ck_assert_ptr_nonnull(filler);
	memset(filler, 'n', length);
	filler[length] = '\0';
	text_append(&text, filler);
	free(filler);
}

/* `count` pieces with a comma between them; each # in `piece` is the number. */
static void add_many(const char *piece, int count)
{
	for (int i = 0; i < count; i++) {
		if (i > 0)
			text_append_char(&text, ',');
		for (const char *c = piece; *c; c++)
			if (*c == '#')
				text_printf(&text, "%d", i);
			else
				text_append_char(&text, *c);
	}
}

/* Begin, perhaps a long filler, middle, many pieces, end. */
static const struct hostile {
	const char *begin;
	size_t filler;
	const char *middle, *piece;
	int count;
	const char *end;
	int expected;
} hostiles[] = {
        {"{", 0, "", "\"k#\":1", 200000, "}", -EINVAL},
        {"{\"runtimes\":{", 0, "", "\"a\":{\"path\":\"/#\"}", 200000, "}}", 0},
        {"{\"runtimes\":{", 0, "", "\"r#\":{\"path\":\"/x\",\"runtimeArgs\":[\"-a\"]}", 100000, "}}", 0},
        {"{\"runtimes\":{\"r\":{\"path\":\"/x\",", 0, "", "\"o#\":1", 200000, "}}}", 0},
        {"{\"labels\":[", 0, "", "\"k#=1\"", 200000, "]}", 0},
        {"{\"labels\":[", 0, "", "\"k=#\"", 200000, "]}", -EINVAL},
        {"{\"labels\":[\"k=", 2 * MEBIBYTE, "\",", "\"k=#\"", 100000, "]}", -EINVAL},
        {"{\"labels\":[", 0, "", "#", 400000, "]}", -EINVAL},
        {"{\"node-generic-resources\":[", 0, "", "\"a=#\"", 200000, "]}", -EINVAL},
        {"{\"insecure-registries\":[", 0, "", "\"http://h#\"", 100000, "]}", 0},
        {"{\"registry-mirrors\":[", 0, "", "\"ftp://h#\"", 100000, "]}", -EINVAL},
        {"{\"default-network-opts\":{\"", 2 * MEBIBYTE, "\":{", "\"k#\":1", 200000, "}}}", -EINVAL},
        {"{\"default-ulimits\":{\"", 2 * MEBIBYTE, "\":{", "\"k#\":1", 200000, "}}}", 0},
        {"{\"log-opts\":{\"http://", 2 * MEBIBYTE, "\":\"x\",", "\"k#\":1", 200000, "}}", -EINVAL},
        {"{\"debug\":", 0, "", "#", 1, "e000000}", -EINVAL},
        {"{\"", 2 * MEBIBYTE, "\":1,", "\"nri-opts\":{\"k#\":1}", 1, "}", -EINVAL},
};
#define HOSTILE_COUNT ((int)(sizeof(hostiles) / sizeof(hostiles[0])))

static void build(const struct hostile *hostile)
{
	text_append(&text, hostile->begin);
	add_filler(hostile->filler);
	text_append(&text, hostile->middle);
	add_many(hostile->piece, hostile->count);
	text_append(&text, hostile->end);
	ck_assert(!text.failed);
}

START_TEST(validate_hostile_input_takes_neither_time_nor_space)
{
	struct rtreg_report *report = NULL;
	struct rtreg_error error = {0};
	struct rtreg_source source;
	const char *warning;
	int r;

	build(&hostiles[_i]);
	source = (struct rtreg_source){.bytes = text.data, .size = text.length};
	r = rtreg_validate(NULL, &source, &report, &error);
	ck_assert_msg(r == hostiles[_i].expected, "%d: %s", r, error.message);
	for (size_t i = 0; report && (warning = rtreg_report_warning(report, i)); i++)
		ck_assert_uint_lt(strlen(warning), LONGEST);
	if (report)
		ck_assert_uint_lt(strlen(rtreg_report_json(report)), MEBIBYTE * 16);
	rtreg_report_free(report);
	rtreg_error_fini(&error);
	text_fini(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hostile");
	TCase *tcase = tcase_create("hostile");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 40);
	tcase_add_loop_test(tcase, validate_hostile_input_takes_neither_time_nor_space, 0, HOSTILE_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
