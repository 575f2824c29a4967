/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/turns.h"

#include <stdbool.h>
#include <string.h>

void turns_init(struct turns *turns)
{
	pthread_mutex_init(&turns->lock, NULL);
	pthread_cond_init(&turns->change, NULL);
	turns->taken = NULL;
}

void turns_fini(struct turns *turns)
{
	pthread_mutex_destroy(&turns->lock);
	pthread_cond_destroy(&turns->change);
}

static bool is_taken(const struct turns *turns, const char *name)
{
	for (const struct turn *turn = turns->taken; turn; turn = turn->next)
		if (strcmp(turn->name, name) == 0)
			return true;
	return false;
}

void turn_begin(struct turns *turns, struct turn *turn, const char *name)
{
	turn->name = name;
	pthread_mutex_lock(&turns->lock);
	while (is_taken(turns, name))
		pthread_cond_wait(&turns->change, &turns->lock);
	turn->next = turns->taken;
	turns->taken = turn;
	pthread_mutex_unlock(&turns->lock);
}

void turn_end(struct turns *turns, struct turn *turn)
{
	struct turn **at = &turns->taken;

	pthread_mutex_lock(&turns->lock);
	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	pthread_cond_broadcast(&turns->change);
	pthread_mutex_unlock(&turns->lock);
}
