/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of drop-ins share: a registry whose configuration file has a directory beside it. Each test
 * opens one of its own, in the process that check forks for it.
 */
#ifndef RTREG_TEST_DROPINS_H
#define RTREG_TEST_DROPINS_H

#include "flavor.h"

#include <check.h>

#include "registry/registry.h"
#include "sandbox.h"
#include "unit.h"

extern struct sandbox sandbox;
extern struct rtreg *registry;
extern struct rtreg_error failure;  /* the last one */
extern struct rtreg_report *report; /* of the last reload */
extern char directory[192];         /* of the drop-ins */

void dropins_setup(void);
void dropins_teardown(void);

/* A drop-in's path, until the next call; writing and removing one. */
const char *place(const char *name);
void put(const char *name, const char *text);
void drop(const char *name);

/* All but reload_from() must succeed. */
void open_registry(void);
int reload_from(const struct rtreg_source *source, unsigned flags);
void reload(void);
void reload_body(const char *text);

/* The live configuration as JSON, until the next call. */
const char *live(void);
uint64_t generation(void);

/* What the live configuration has: `"debug":true` among the values; an origin of a key. */
void assert_config(const char *member);
void assert_origin(const char *key, const char *origin);

/* Whether the list `list` of the report has `key`. */
bool listed(const char *list, const char *key);

/* Whether one of the last failure's messages holds all the texts (NULL at the end), in their order. */
bool told(const char *first, ...) __attribute__((sentinel));

/* A reload fails with `code`, and everything is as before. */
void assert_refused(int code);

#endif
