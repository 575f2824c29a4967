/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two tables that help, manual page and command line are made of: subcommands, and options. */
#include "base/cleanup.h"
#include "bench/command_line.h"

static const char read_notes[] =
        "Borrow a snapshot and resolve a runtime's name in it, hash computed each time:\n"
        "with each flavour of liburcu, inlined and as calls into the library, against a raw\n"
        "pointer without any protection and the usual ways to protect it.";

static const char pin_notes[] =
        "Pin the live snapshot and unpin it again, with rtreg_pin() and rtreg_unpin(), inlined\n"
        "and as calls into the library, and what else counts who uses something: a shared\n"
        "counter, additions to a word for each thread, a mutex. A figure is for both steps.";

static const char resolve_notes[] =
        "The look-up alone, with 8, 64, 1,024 and 100,000 runtimes; --runtimes takes the\n"
        "place of the last. Asked for are 64 names again and again, or all names in turn:\n"
        "the difference is what the processor's caches do not hold.";

static const char reload_notes[] =
        "A reload with one label changed, and with one runtime added, of 100 to 100,000\n"
        "runtimes with wrapper scripts; the first load of 1,000 beside the same files written\n"
        "without care; the memory of the largest; what a reader notices. At most 25 rounds;\n"
        "--short has at most 3, and ends at 1,000 runtimes.";

static const char socket_notes[] =
        "Requests to rtregd over 16 connections, beside a server that echoes, libmicrohttpd,\n"
        "nginx, redis and memcached (those that are in the PATH) with the same bytes: the\n"
        "server's processor time for each, the time by the clock, and what part of them\n"
        "took. Then 1,000 connections, and rtregctl as a whole process.";

static const char shared_notes[] =
        "An engine in another process: over rtregd's socket, and in memory that rtregd\n"
        "shares, beside one that holds the registry itself. Making that memory is a step\n"
        "of a reload, and as long as rtregd says; the first answer of a generation\n"
        "fetches and checks it.";

const struct subcommand subcommands[] = {
        {"read", "resolve a name in the live configuration, by readers", read_notes, "readers",
         "one look-up of one reader", false, bench_read_open, bench_read_close},
        {"pin", "keep the live configuration, and give it back", pin_notes, "threads",
         "one pin and unpin of one thread", false, bench_pin_open, bench_pin_close},
        {"resolve", "resolve a name among few runtimes and among many", resolve_notes, "runtimes",
         "one look-up", true, bench_resolve_open, bench_resolve_close},
        {"reload", "load a configuration, and load it again", reload_notes, "runtimes", "one reload", true,
         bench_reload_open, bench_reload_close},
        {"socket", "ask rtregd over its socket", socket_notes, "connections",
         "one request, processor time of the server", true, bench_socket_open, bench_socket_close},
        {"shared", "resolve a name in another process than rtregd", shared_notes, "runtimes", "one answer",
         true, bench_shared_open, bench_shared_close},
};

const size_t subcommand_count = ARRAY_SIZE(subcommands);

const struct bench_option bench_options[] = {
        {OPTION_ROUNDS, "rounds", "N", "how often each case is measured (default 101)"},
        {OPTION_SECONDS, "seconds", "S", "how long the whole run takes, about (default 10)"},
        {OPTION_SHORT, "short", NULL, "a short form for tests: fewer cases, 9 rounds, 1 second"},
        {OPTION_BATCHES, "batches", "N", "batches of 1,024 operations in each slice, in place of a time"},
        {OPTION_READERS, "readers", "N", "threads at once, at most (default: the processors)"},
        {OPTION_RUNTIMES, "runtimes", "N", "runtimes in the configuration (default 64)"},
        {OPTION_CASE, "case", "TEXT", "the case TEXT, or those with TEXT in their names"},
        {OPTION_JSON, "json", NULL, "print the results as JSON"},
        {OPTION_MARKDOWN, "markdown", NULL, "print the tables as Markdown"},
        {OPTION_PLOT, "plot", "FILE", "write the chart to FILE, as SVG"},
        {OPTION_CHECK, "check", "FACTOR", "exit code 1 if a goal is missed by more than FACTOR"},
        {OPTION_HELP, "help", NULL, "explain rtreg-bench, or a subcommand"},
        {OPTION_VERSION, "version", NULL, "print the version"},
};

const size_t bench_option_count = ARRAY_SIZE(bench_options);
