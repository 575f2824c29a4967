/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A registry whose snapshots are written and mapped within one process. */
#ifndef RTREG_TEST_SHARED_WORLD_H
#define RTREG_TEST_SHARED_WORLD_H

#include "flavor.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox.h"
#include "shared/read.h"
#include "shared/write.h"
#include "unit.h"

#define EPOCH 0x1122334455667788ull

static struct sandbox sandbox;
static struct rtreg *registry;

static void world_open(const char *config)
{
	struct rtreg_error error = {0};

	sandbox_init(&sandbox);
	sandbox_write(&sandbox, "%s", config);
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

static void world_close(void)
{
	rtreg_close(registry);
	sandbox_fini(&sandbox);
}

/* The live snapshot as a sealed memfd. */
static struct shared_file write_live(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	struct shared_file file;

	ck_assert_int_eq(shared_write(snapshot, EPOCH, &file), 0);
	rtreg_unpin(snapshot);
	return file;
}

#endif
