/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot with nothing in it but runtimes of given names; and names at the edge of readable memory. */
#ifndef RTREG_TEST_SNAPSHOT_NAMES_H
#define RTREG_TEST_SNAPSHOT_NAMES_H

#include <check.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "snapshot/snapshot.h"

/* Names that all have `stride` bytes of room; the first is the default. To be freed with snapshot_free(). */
static inline struct rtreg_snapshot *snapshot_of(const char *names, size_t stride, size_t count)
{
	struct arena *arena = arena_new();
	struct rtreg_snapshot *snapshot = arena_alloc(arena, sizeof(*snapshot));

	snapshot->arena = arena;
	snapshot->runtimes = arena_alloc_array(arena, count, sizeof(*snapshot->runtimes));
	snapshot->runtime_count = count;
	for (size_t i = 0; i < count; i++)
		snapshot->runtimes[i].runtime = (struct rtreg_runtime){
		        .name = names + i * stride,
		        .shim = "io.containerd.runc.v2",
		        .name_length = (uint32_t)strlen(names + i * stride),
		};
	ck_assert_int_eq(table_build(snapshot), 0);
	snapshot->head.default_runtime = &snapshot->runtimes[0].runtime;
	return snapshot;
}

#define PAGE 4096

/* A page with none readable before or behind it. */
static inline char *lonely_page(void)
{
	char *pages = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	ck_assert_int_eq(mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	return pages + PAGE;
}

#endif
