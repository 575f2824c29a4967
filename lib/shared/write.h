/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sharing side of format.h: sealed snapshots, and the control page. The page is written by one thread at a
 * time; what it takes is told at each function.
 */
#ifndef RTREG_SHARED_WRITE_H
#define RTREG_SHARED_WRITE_H

#include "rtreg/rtreg.h"
#include "shared/format.h"

/* A memfd and its size. `fd` -1: none. */
struct shared_file {
	int fd;
	uint64_t size;
};

/*
 * Makes a sealed memfd of what a snapshot resolves to. Ownership: ret->fd is the caller's. Context: any thread,
 * with a borrowed or pinned snapshot; it allocates and makes system calls.
 * Errors: -ENOMEM, -EMFILE, -ENFILE, -EFBIG past 4 GiB …
 */
int shared_write(const struct rtreg_snapshot *snapshot, uint64_t epoch, struct shared_file *ret);

struct shared_page;

/*
 * Makes the control page of a new epoch, without a generation yet, and locks the owner in it: for as long as the
 * calling thread lives. Errors: as above; -EINVAL, -ENOSYS from a kernel that cannot.
 */
int shared_page_new(struct shared_page **ret);
/* Says that there is no owner any more. Context: the thread that made it, once. */
void shared_page_end(struct shared_page *page);
/* Frees it; ended before, or the process ends. NULL is allowed. */
void shared_page_free(struct shared_page *page);

uint64_t shared_page_epoch(const struct shared_page *page);
/* The page's descriptor, which stays its own. */
struct shared_file shared_page_file(const struct shared_page *page);
/* What it makes visible is made fetchable before. */
void shared_page_publish(struct shared_page *page, uint64_t generation);

#endif
