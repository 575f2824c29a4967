/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A slice of work done by threads that are pinned to one processor each and begin together. The work comes in batches,
 * and each is timed. The figure of a thread is the median of its batches: where others push it off its processor, that
 * is in few of them. What is to be seen in few batches, such as a writer that comes once in a millisecond, asks for the
 * mean instead, and is compared with a mean; batches of more than 20 times the median are left out of it. The figure of a slice is the mean of its threads.
 */
#ifndef RTREG_BENCH_THREADS_H
#define RTREG_BENCH_THREADS_H

#include "bench/bench.h"

/* What one thread does; `enter` and `leave` (NULL: nothing) are around all its batches, outside the time. */
struct work {
	void (*enter)(void *context);
	void (*leave)(void *context);
	/* `count` operations. What it returns is kept, so that the compiler cannot leave the work out. */
	uintptr_t (*batch)(void *context, unsigned thread, size_t count);
	void *context;
	size_t batch_size;    /* operations between two looks at the clock; 0: 1,024 */
	bool wants_mean;      /* of the batches, not the median */
	int64_t slice_min_ns; /* where bench->slice_ns may be too short to see anything */
};

/* Runs `threads` of them for bench->slice_ns; *ret is in nanoseconds. -EAGAIN … if a thread cannot be started. */
int measure_threads(struct bench *bench, const struct work *work, unsigned threads, double *ret);
/* Pins the calling thread to the `place`-th processor; with more threads than processors they share. */
void thread_pin_to(const struct bench *bench, unsigned place);

#endif
