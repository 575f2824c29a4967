/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/name_table.h"

#include <errno.h>
#include <stdlib.h>

#include "rtreg/rtreg.h"

int name_table_init(struct name_table *table, uint32_t capacity)
{
	size_t slots = 8;

	while (slots / 2 < capacity)
		slots *= 2;
	*table = (struct name_table){
	        .names = calloc(capacity ? capacity : 1, sizeof(*table->names)),
	        .slots = calloc(slots, sizeof(*table->slots)),
	        .mask = slots - 1,
	};
	if (table->names && table->slots)
		return 0;
	name_table_fini(table);
	return -ENOMEM;
}

void name_table_fini(struct name_table *table)
{
	free(table->names);
	free(table->slots);
	*table = (struct name_table){0};
}

uint32_t name_table_add(struct name_table *table, struct span name)
{
	size_t i = rtreg_hash(name.start, name.length) & table->mask;

	for (; table->slots[i] != 0; i = (i + 1) & table->mask) {
		struct span known = table->names[table->slots[i] - 1];

		if (known.length == name.length && memcmp(known.start, name.start, name.length) == 0)
			return table->slots[i] - 1;
	}
	table->names[table->count] = name;
	table->slots[i] = ++table->count;
	return table->count - 1;
}
