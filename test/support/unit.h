/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTREG_TEST_UNIT_H
#define RTREG_TEST_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Runs a suite; what main() returns. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
