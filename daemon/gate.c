/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gate.h"

#include <pthread.h>
#include <stdlib.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool closed;
};

struct gate *gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->opened, NULL);
	return gate;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	pthread_cond_destroy(&gate->opened);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

void gate_close(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->closed = true;
	pthread_mutex_unlock(&gate->lock);
}

int gate_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	(void)txn;
	(void)error;
	gate_close(context);
	return 0;
}

void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->closed = false;
	pthread_cond_broadcast(&gate->opened);
	pthread_mutex_unlock(&gate->lock);
}

void gate_pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->closed)
		pthread_cond_wait(&gate->opened, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}
