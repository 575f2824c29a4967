/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/goals.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench/output.h"

#define NS_FROM 1000 /* a bound on a case's own figure that is at least this is a time, else a count */

const struct goal goals[] = {
        {"read-bp", "read", "bp, inline", "raw", GOAL_COST, 1.15, "bp, inlined, beside a raw pointer"},
        {"read-memb", "read", "memb, inline", "raw", GOAL_COST, 1.15, "memb likewise"},
        {"read-qsbr", "read", "qsbr, inline", "raw", GOAL_COST, 1.05, "qsbr likewise"},
        {"read-call", "read", "bp, one call", "raw", GOAL_COST, 2, "as one call into the library"},
        {"read-call-memb", "read", "memb, one call", "raw", GOAL_COST, 2, "memb likewise"},
        {"read-prepared", "read", "raw, prepared", "raw", GOAL_COST, 0.6,
         "a prepared name, beside one whose hash is taken"},
        {"read-prepared-bp", "read", "bp, prepared", "raw", GOAL_COST, 0.6,
         "the same with the section of bp"},
        {"read-prepared-qsbr", "read", "qsbr, prepared", "raw", GOAL_COST, 0.6, "and of qsbr"},
        {"read-two", "read", "bp, inline, 2 readers", "bp, inline", GOAL_THROUGHPUT, 1.95,
         "what two readers do, beside one"},
        {"read-reloads", "read", "bp, inline, reloads", "bp, inline, mean", GOAL_COST, 1.2,
         "with a reload every millisecond, beside none"},
        {"read-go", "read", "bp, inline", "raw", GOAL_COST, 11.3 / 4.2 / 2,
         "twice as fast as Go's atomic.Pointer and map: 11.3 ns where raw was 4.2"},
        {"pin-two", "pin", "rtreg_pin, 2 threads", "shared counter, 2 threads", GOAL_SPEEDUP, 5,
         "pin and unpin by two threads, beside one shared counter"},
        {"resolve-64", "resolve", "bp, inline, 64 runtimes", "bp, inline, 8 runtimes", GOAL_COST, 2,
         "64 runtimes beside 8, in the caches"},
        {"resolve-1024", "resolve", "bp, inline, 1024 runtimes", "bp, inline, 8 runtimes", GOAL_COST, 2,
         "1,024 likewise"},
        {"resolve-100000", "resolve", "bp, inline, 100000 runtimes", "bp, inline, 8 runtimes", GOAL_COST, 2,
         "100,000 likewise"},
        {"reload-100", "reload", "one label, 100 runtimes", NULL, GOAL_COST, 2e6,
         "100 wrapped runtimes, one label changed: 2 ms"},
        {"reload-10000", "reload", "one label, 10000 runtimes", NULL, GOAL_COST, 60e6, "10,000: 60 ms"},
        {"reload-linear", "reload", "one label, 100000 runtimes", "one label, 10000 runtimes", GOAL_COST, 12,
         "100,000 beside 10,000: linear"},
        {"reload-memory", "reload", "memory kept, 100000 runtimes", "file, 100000 runtimes", GOAL_COST, 4,
         "what 100,000 keep, beside their file"},
        {"reload-first", "reload", "first load, 1000 runtimes", "bare writes, 1000 files", GOAL_COST, 3,
         "1,000 new ones, beside the same files without fsync"},
        {"reload-readers", "reload", "p99.9 of a reader, reloads", "p99.9 of a reader", GOAL_COST, 1.2,
         "the slowest look-up of 1,000 while 10,000 are reloaded all the time"},
        {"socket-library", "socket", "rtregd", "libmicrohttpd", GOAL_COST, 1.15,
         "processor time for a request, beside libmicrohttpd with a constant reply"},
        {"socket-nginx", "socket", "rtregd", "nginx", GOAL_COST, 1, "beside nginx likewise"},
        {"socket-p99", "socket", "rtregd, p99", "nginx, p99", GOAL_COST, 1.5, "what 99 of 100 requests take"},
        {"socket-memory", "socket", "idle connection, rtregd", "idle connection, libmicrohttpd", GOAL_COST,
         1.12, "memory for an idle connection: 4 KiB above the library's own 33"},
        {"socket-threads", "socket", "percent of the busier of two threads", NULL, GOAL_COST, 55,
         "two threads share 1,000 connections"},
        {"socket-process", "socket", "process, rtregctl resolve above true", NULL, GOAL_COST, 1e6,
         "rtregctl resolve as a whole process, above true"},
        {"shared-mapped", "shared", "mapped, 64 runtimes", "in process, 64 runtimes", GOAL_COST, 4,
         "mapped, beside a reader in process"},
        {"shared-socket", "shared", "mapped, 64 runtimes", "over the socket, 64 runtimes", GOAL_SPEEDUP, 100,
         "mapped, beside the socket"},
};

const size_t goal_count = ARRAY_SIZE(goals);

static unsigned threads_of(const struct bench_result *result)
{
	return result->subject.threads ? result->subject.threads : 1;
}

static int ratio_of(const struct bench *bench, const struct goal *goal, struct summary *ret)
{
	const struct bench_result *subject = bench_find(bench, goal->subject), *reference;

	if (!subject || !subject->figures)
		return -ENOENT;
	if (!goal->reference)
		return summarize(subject->figures, bench->rounds, ret);
	reference = bench_find(bench, goal->reference);
	if (!reference || !reference->figures)
		return -ENOENT;
	if (goal->kind == GOAL_COST)
		return summarize_ratio(subject->figures, reference->figures, bench->rounds, 1, ret);
	return summarize_ratio(reference->figures, subject->figures, bench->rounds,
	                       goal->kind == GOAL_THROUGHPUT
	                               ? (double)threads_of(subject) / (double)threads_of(reference)
	                               : 1,
	                       ret);
}

int goal_judge(const struct bench *bench, const struct goal *goal, struct judgement *ret)
{
	struct judgement judgement = {.goal = goal};
	double low, high;
	int r;

	if (strcmp(goal->subcommand, bench->subcommand->name) != 0)
		return -ENOENT;
	r = ratio_of(bench, goal, &judgement.ratio);
	if (r < 0)
		return r;
	/* as multiples of the bound, above 1 is missed */
	low = judgement.ratio.lower / goal->bound;
	high = judgement.ratio.upper / goal->bound;
	if (goal->kind != GOAL_COST) {
		low = goal->bound / judgement.ratio.upper;
		high = goal->bound / judgement.ratio.lower;
	}
	judgement.verdict = high <= 1 ? GOAL_MET : low > 1 ? GOAL_MISSED : GOAL_OPEN;
	judgement.factor = low;
	*ret = judgement;
	return 0;
}

void goal_describe(struct text *text, const struct goal *goal)
{
	text_printf(text, "%s: ", goal->subject);
	if (!goal->reference) {
		text_append(text, "at most ");
		output_figure(text, goal->bound < NS_FROM ? BENCH_COUNT : BENCH_NS, goal->bound);
	} else if (goal->kind == GOAL_COST)
		text_printf(text, "at most %.4g x %s", goal->bound, goal->reference);
	else if (goal->kind == GOAL_SPEEDUP)
		text_printf(text, "at least %.4g x as fast as %s", goal->bound, goal->reference);
	else
		text_printf(text, "at least %.4g x what %s does in all", goal->bound, goal->reference);
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
	        [GOAL_MET] = "met", [GOAL_MISSED] = "missed", [GOAL_OPEN] = "open"};

	return names[verdict];
}
