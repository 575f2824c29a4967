/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns by name: of those who come with the same name one goes on at a time, the others wait for his end. Different
 * names never wait for each other.
 */
#ifndef RTREG_BASE_TURNS_H
#define RTREG_BASE_TURNS_H

#include <pthread.h>

/* Somebody's turn; on his stack. */
struct turn {
	const char *name; /* stays the caller's until the end */
	struct turn *next;
};

struct turns {
	/* Held for moments only. */
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct turn *taken;
};

void turns_init(struct turns *turns);
void turns_fini(struct turns *turns);

/* Context: any thread, not one that has a turn of this name. */
void turn_begin(struct turns *turns, struct turn *turn, const char *name);
void turn_end(struct turns *turns, struct turn *turn);

#endif
