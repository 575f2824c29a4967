/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Distinct names in the order of their first appearance, found again in constant time: lists in daemon.json
 * can have millions of elements. Names are not copied.
 */
#ifndef RTREG_CHECKS_NAME_TABLE_H
#define RTREG_CHECKS_NAME_TABLE_H

#include <stdint.h>

#include "checks/span.h"

struct name_table {
	struct span *names; /* `count` of them */
	uint32_t *slots;    /* index + 1 of a name; 0 is empty */
	size_t mask;        /* slots - 1 */
	uint32_t count;
};

/* For at most `capacity` names. -ENOMEM. */
int name_table_init(struct name_table *table, uint32_t capacity);
/* Zeroed is allowed. */
void name_table_fini(struct name_table *table);
/* The index of `name`; it is new if that is the count from before. */
uint32_t name_table_add(struct name_table *table, struct span name);

#define _cleanup_name_table_ _cleanup_(name_table_fini)

#endif
