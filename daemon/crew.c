/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct task *first, **last;
	bool stopping;
	unsigned count; /* threads that run */
	pthread_t threads[];
};

/* The next task, NULL where none is left and none will come. */
static struct task *next_task(struct crew *crew, bool *ret_stopping)
{
	struct task *task;

	pthread_mutex_lock(&crew->lock);
	while (!crew->first && !crew->stopping)
		pthread_cond_wait(&crew->wake, &crew->lock);
	task = crew->first;
	if (task)
		crew->first = task->next;
	if (!crew->first)
		crew->last = &crew->first;
	*ret_stopping = crew->stopping;
	pthread_mutex_unlock(&crew->lock);
	return task;
}

static void *work(void *context)
{
	struct task *task;
	bool stopping;

	while ((task = next_task(context, &stopping)))
		task->run(task->context, stopping);
	return NULL;
}

int crew_new(const char *name, unsigned threads, struct crew **ret)
{
	struct crew *crew = calloc(1, sizeof(*crew) + threads * sizeof(crew->threads[0]));

	if (!crew)
		return -ENOMEM;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->wake, NULL);
	crew->last = &crew->first;
	while (crew->count < threads) {
		int rc = pthread_create(&crew->threads[crew->count], NULL, work, crew);

		if (rc != 0) {
			crew_free(crew);
			return -rc;
		}
		pthread_setname_np(crew->threads[crew->count++], name);
	}
	*ret = crew;
	return 0;
}

void crew_stop(struct crew *crew)
{
	if (!crew)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->stopping = true;
	pthread_cond_broadcast(&crew->wake);
	pthread_mutex_unlock(&crew->lock);
	while (crew->count > 0)
		pthread_join(crew->threads[--crew->count], NULL);
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	crew_stop(crew);
	pthread_cond_destroy(&crew->wake);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}

void crew_do(struct crew *crew, struct task *task)
{
	bool stopping;

	task->next = NULL;
	pthread_mutex_lock(&crew->lock);
	stopping = crew->stopping;
	if (!stopping) {
		*crew->last = task;
		crew->last = &task->next;
		pthread_cond_signal(&crew->wake);
	}
	pthread_mutex_unlock(&crew->lock);
	if (stopping)
		task->run(task->context, true);
}
