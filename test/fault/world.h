/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of this suite share: a registry with wrapper scripts, a runtime that answers a probe, and an
 * engine's two steps; and pictures of all that a failed operation must leave as it was.
 */
#ifndef RTREG_TEST_WORLD_H
#define RTREG_TEST_WORLD_H

#include "flavor.h"
#include "sandbox.h"

#define STEP_CODE (-EUNATCH) /* what the second step returns when it is told to fail */

struct world {
	struct sandbox sandbox;
	struct rtreg_step steps[2];
	struct rtreg *registry;
	struct rtreg_error error; /* of the last operation */
	char text[2048];          /* the configuration that the next one reads */
	bool second_step_fails;
	long held; /* what the steps prepared, and neither a commit nor a rollback has given back */
};

/* Not open yet. */
void world_init(struct world *world);
void world_fini(struct world *world);

/*
 * Makes configuration `number`, all of whose scripts are new, the next one; the probed runtime changes too.
 */
void world_prepare(struct world *world, unsigned long number);

/* The operations: 0 or a negative errno. None uses what the faults catch, but in the library. */
int world_open(struct world *world);
int world_reload(struct world *world);

/* The live generation, its contents as JSON, and the names in STATE/runtimes. */
struct picture {
	uint64_t generation;
	char *config, *runtimes, *scripts;
};
void picture_take(struct picture *picture, const struct world *world);
void picture_fini(struct picture *picture);
void picture_assert_same(const struct picture *before, const struct world *world);

/* Scripts that are in use are there and whole, no temporary file is, and the steps hold nothing. */
void world_assert_sound(const struct world *world);
/* An operation without faults works again. */
void world_assert_works(struct world *world);

#endif
