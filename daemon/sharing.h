/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What other processes may map (docs/shared.md): the control page, and the newest snapshot for as long as somebody
 * is there to fetch it. Failing to make one never fails a reload: who maps asks over the socket then.
 */
#ifndef RTREGD_SHARING_H
#define RTREGD_SHARING_H

#include "rtreg/rtreg.h"

struct sharing;

/*
 * Makes the control page, where the kernel can; without it nobody can map. -ENOMEM. Context: the main thread, which
 * has to live as long as the process.
 */
int sharing_new(struct sharing **ret);
/* Those who map are told that there is no daemon any more. Context: the main thread; no reload can come. */
void sharing_end(struct sharing *sharing);
/* NULL is allowed. */
void sharing_free(struct sharing *sharing);

/* The first step of a reload: makes what is to be fetched, and has it published first. `context` is the sharing. */
int sharing_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error);

/*
 * One more who maps: has a snapshot of the live generation made, if there is none. sharing_leave() once for each
 * success. Errors: why there is none. Context: any thread, outside of a reader section; it may take a while.
 */
int sharing_join(struct sharing *sharing, struct rtreg *registry);
void sharing_leave(struct sharing *sharing);

/* Answers a question of format.h's on an upgraded connection. A negative errno: it is to be closed. */
int sharing_answer(struct sharing *sharing, int fd, uint32_t what);

#endif
