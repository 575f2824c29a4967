/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtimes/script_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtimes/script_file.h"

#define FIRST_CAPACITY 32

void script_table_fini(struct script_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		script_file_free(table->files[i]);
	free(table->files);
	free(table->slots);
	*table = (struct script_table){0};
}

static size_t mask_of(const struct script_table *table)
{
	return 2 * table->capacity - 1;
}

static size_t home_of(const struct script_table *table, const char *name)
{
	return rtreg_hash(name, strlen(name)) & mask_of(table);
}

/* The slot that holds the file of that name, or the empty one where it would be. */
static size_t slot_of(const struct script_table *table, const char *name)
{
	size_t at = home_of(table, name);

	while (table->slots[at] != 0 && strcmp(table->files[table->slots[at] - 1]->name, name) != 0)
		at = (at + 1) & mask_of(table);
	return at;
}

struct script_file *script_table_find(const struct script_table *table, const char *name)
{
	size_t at;

	if (table->count == 0)
		return NULL;
	at = slot_of(table, name);
	return table->slots[at] ? table->files[table->slots[at] - 1] : NULL;
}

static int grow(struct script_table *table)
{
	size_t capacity = table->capacity ? 2 * table->capacity : FIRST_CAPACITY;
	uint32_t *slots = calloc(2 * capacity, sizeof(*slots));
	struct script_file **files = reallocarray(table->files, capacity, sizeof(*files));

	if (files)
		table->files = files;
	if (!slots || !files) {
		free(slots);
		return -ENOMEM;
	}
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
	for (size_t i = 0; i < table->count; i++)
		slots[slot_of(table, files[i]->name)] = (uint32_t)i + 1;
	return 0;
}

int script_table_add(struct script_table *table, struct script_file *file)
{
	if (table->count == table->capacity && grow(table) < 0)
		return -ENOMEM;
	table->files[table->count++] = file;
	table->slots[slot_of(table, file->name)] = (uint32_t)table->count;
	return 0;
}

/* Those behind an emptied slot that belong before it move up, so that no look-up ends too early. */
static void empty_slot(struct script_table *table, size_t hole)
{
	size_t mask = mask_of(table);

	for (size_t at = (hole + 1) & mask; table->slots[at] != 0; at = (at + 1) & mask) {
		size_t home = home_of(table, table->files[table->slots[at] - 1]->name);

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = 0;
}

void script_table_remove(struct script_table *table, struct script_file *file)
{
	size_t slot = slot_of(table, file->name), index = table->slots[slot] - 1;
	struct script_file *last = table->files[table->count - 1];

	empty_slot(table, slot);
	if (last != file) {
		table->slots[slot_of(table, last->name)] = (uint32_t)index + 1;
		table->files[index] = last;
	}
	table->count--;
	script_file_free(file);
}
