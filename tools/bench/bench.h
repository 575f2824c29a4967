/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frame of rtreg-bench: what the command line, the rounds, the output and the subcommands share.
 *
 * A subcommand is a set of cases that are measured in the same run. To add one:
 *
 *  1. tools/bench/NAME.c with two functions. open() makes what the cases need (bench->world is the subcommand's own)
 *     and adds the cases with bench_add(); close() takes it away again, also after an open() that failed half way.
 *  2. A line in the table `subcommands` (subcommands.c), a declaration at the end of this header, the file in
 *     tools/meson.build. Help, manual page, JSON, tables and charts follow from the table and the cases.
 *  3. Goals: lines in goals.c, which name cases.
 *
 * The frame does the rest: in each round every case is measured once, for a slice of time, in shuffled order; a case's
 * figures are the minimum, median and maximum over the rounds, its ratio to its reference is taken within each round.
 * For work that threads do, measure_threads() (threads.h) runs the same few lines on pinned threads. A case that needs no
 * such thing (a reload, a request) does in measure() whatever it likes for about bench->slice_ns, at least one operation,
 * and returns the time, or the bytes, of one.
 */
#ifndef RTREG_BENCH_BENCH_H
#define RTREG_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtreg/rtreg.h"

enum bench_exit {
	BENCH_DONE = 0,
	BENCH_FAILED = 1, /* it could not measure, or --check found a goal missed */
	BENCH_USAGE = 2,
};

#define BENCH_PROCESSORS_MAX 64
#define BENCH_NAME_SIZE      64

/* What a figure is. Less is better in all of them. */
enum bench_unit {
	BENCH_NS, /* nanoseconds for one operation of one thread; shown as ns, µs, ms or s */
	BENCH_BYTES,
	BENCH_COUNT,
};

struct bench;
struct bench_case;

/*
 * Measures one slice. `*ret` is the figure, in the case's unit. Returns 0 or a negative errno, which ends the run.
 */
typedef int (*bench_measure_fn)(struct bench *bench, const struct bench_case *bench_case, double *ret);

/* Copied by bench_add(). */
struct bench_case {
	char name[BENCH_NAME_SIZE];   /* unique within the subcommand: goals, --json and `reference` use it */
	char series[BENCH_NAME_SIZE]; /* the line of the chart that it is a point of; "": not in the chart */
	char reference
	        [BENCH_NAME_SIZE]; /* the case that its ratio is taken to, added before or after; "": none */
	double x;                  /* where on the chart's x axis: readers, N … */
	bool ours;                 /* rtreg's own, not an alternative: the chart shows it strongly */
	unsigned threads;          /* that do the work at the same time; 0 counts as 1 */
	enum bench_unit unit;
	bench_measure_fn measure;
	const void *context; /* the subcommand's */
};

/* A case and its figures, one for each round. */
struct bench_result {
	struct bench_case subject;
	double *figures;
};

struct bench {
	/* what was asked for */
	size_t rounds;
	double seconds;      /* for the whole run */
	unsigned readers;    /* at most so many threads at once */
	size_t runtimes;     /* N, where the subcommand does not choose it */
	size_t batches;      /* of each thread in each slice; 0: as many as the time allows */
	bool short_form;     /* few and short rounds: subcommands leave out their largest cases */
	bool runtimes_given; /* --runtimes was */
	const char *
	        case_match; /* --case: the case called so, or those whose names hold it, and their references; NULL: all */

	/* what there is */
	unsigned processors; /* that this process may use */
	int processor[BENCH_PROCESSORS_MAX];
	int64_t slice_ns;

	const struct subcommand *subcommand;
	void *world;
	struct bench_result *results;
	size_t count, capacity;
};

struct subcommand {
	const char *name, *help;
	const char *
	        notes; /* what its own help adds: lines that fit a terminal, without the last's end; or NULL */
	const char *x_label, *y_label;
	bool x_logarithmic;
	int (*open)(struct bench *bench, struct rtreg_error *error);
	void (*close)(struct bench *bench);
};

extern const struct subcommand subcommands[];
extern const size_t subcommand_count;

/* --- for subcommands --- */

/* Adds a copy of a case. -ENOMEM; -EEXIST if there is one of that name. */
int bench_add(struct bench *bench, const struct bench_case *bench_case);
/* The result of the case called so, or NULL. */
const struct bench_result *bench_find(const struct bench *bench, const char *name);
/* Writes a name into a member of struct bench_case; what is too long is cut. */
void bench_name(char ret[static BENCH_NAME_SIZE], const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* Fills an error with a text, and returns `code`. */
int bench_fail(struct rtreg_error *error, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* The monotonic clock. */
int64_t bench_now_ns(void);
/* `rtreg-bench: MESSAGE`, and `  MESSAGE` as a further line of it, on stderr. */
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void bench_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- the frame's own --- */

void bench_fini(struct bench *bench);
/* Finds the processors that may be used. */
void bench_find_processors(struct bench *bench);
/* Takes away the cases that --case does not want. */
void bench_choose(struct bench *bench);
/* Measures all cases in all rounds. 0, or a negative errno of the case that could not be measured, which is said. */
int bench_run(struct bench *bench);

/* --- the subcommands --- */

int bench_read_open(struct bench *bench, struct rtreg_error *error);
void bench_read_close(struct bench *bench);
int bench_pin_open(struct bench *bench, struct rtreg_error *error);
void bench_pin_close(struct bench *bench);
int bench_resolve_open(struct bench *bench, struct rtreg_error *error);
void bench_resolve_close(struct bench *bench);
int bench_reload_open(struct bench *bench, struct rtreg_error *error);
void bench_reload_close(struct bench *bench);
int bench_socket_open(struct bench *bench, struct rtreg_error *error);
void bench_socket_close(struct bench *bench);
int bench_shared_open(struct bench *bench, struct rtreg_error *error);
void bench_shared_close(struct bench *bench);

#endif
