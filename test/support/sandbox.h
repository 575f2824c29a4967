/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary directory with a configuration file and a state directory, for tests that open a registry. */
#ifndef RTREG_TEST_SANDBOX_H
#define RTREG_TEST_SANDBOX_H

#include <rtreg/rtreg.h>

struct sandbox {
	char directory[64], config[128], state[128], exec_root[128];
	struct rtreg_options options; /* points into this struct */
};

void sandbox_init(struct sandbox *sandbox);
/* Replaces the configuration file by printf-formatted text, atomically. */
void sandbox_write(struct sandbox *sandbox, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sandbox_fini(struct sandbox *sandbox);

#endif
