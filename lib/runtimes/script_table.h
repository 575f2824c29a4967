/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The script store's files by name: an array of them, and a hash table of its indexes. At most half full, so a look-up
 * ends soon. Nobody but the store includes this.
 */
#ifndef RTREG_RUNTIMES_SCRIPT_TABLE_H
#define RTREG_RUNTIMES_SCRIPT_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct script_file;

/* Zeroed is empty. The files are owned. */
struct script_table {
	struct script_file **files; /* `count` of them, in no order */
	uint32_t *slots;            /* index + 1 of a file; 0 is empty */
	size_t count, capacity;     /* there are twice as many slots as `capacity`, a power of two */
};

/* Frees the files too. */
void script_table_fini(struct script_table *table);
/* NULL if there is none of that name. */
struct script_file *script_table_find(const struct script_table *table, const char *name);
/* For one of a new name. -ENOMEM: it stays the caller's. */
int script_table_add(struct script_table *table, struct script_file *file);
/* Takes one that is there out, and frees it. */
void script_table_remove(struct script_table *table, struct script_file *file);

#endif
