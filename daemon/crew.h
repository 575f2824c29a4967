/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that do what blocks, so that those which serve HTTP go on meanwhile. Tasks are begun in the order in which
 * they came. Their memory is the owner's, so that handing one over cannot fail for want of it.
 */
#ifndef RTREGD_CREW_H
#define RTREGD_CREW_H

#include <stdbool.h>

/*
 * Zeroed is not in use. `run` is called once for each task, by a thread of the crew; `cancelled`: the daemon stops, and
 * it is only to be told. Its owner may free it, or hand it over again, in `run` already.
 */
struct task {
	struct task *next; /* the crew's */
	void (*run)(void *context, bool cancelled);
	void *context;
};

struct crew;

/* Starts `threads` of them, called `name` (at most 15 bytes). -ENOMEM, -EAGAIN. */
int crew_new(const char *name, unsigned threads, struct crew **ret);
/* Waits for tasks under way, cancels the others and what comes later. NULL is allowed. */
void crew_stop(struct crew *crew);
/* Stops, and frees. NULL is allowed. */
void crew_free(struct crew *crew);

/* Hands a task over. Context: any thread; that thread itself runs it, cancelled, where the crew has stopped. */
void crew_do(struct crew *crew, struct task *task);

#endif
