/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One of liburcu's flavours, chosen with -DFLAVOR_BP, _MEMB, _MB or _QSBR; two of them cannot be included by one file.
 * FLAVOR_(name) gives a name the flavour's ending, so that one file can be compiled for each. -DFLAVOR_CALLS is for the
 * second time without _LGPL_SOURCE: then liburcu's functions are called, not inlined.
 */
#ifndef RTREG_BENCH_FLAVOR_H
#define RTREG_BENCH_FLAVOR_H

#ifdef __clang_analyzer__
#undef _LGPL_SOURCE /* in what would be inlined it sees a null pointer that liburcu has set meanwhile */
#endif

#if defined(FLAVOR_BP)
#include <urcu-bp.h>
#define FLAVOR_ENDING bp
#elif defined(FLAVOR_QSBR)
#include <urcu-qsbr.h>
#define FLAVOR_ENDING qsbr
#elif defined(FLAVOR_MB)
#define RCU_MB
#include <urcu.h>
#define FLAVOR_ENDING mb
#elif defined(FLAVOR_MEMB)
#include <urcu.h>
#define FLAVOR_ENDING memb
#else
#error "choose a flavour"
#endif

#ifdef FLAVOR_CALLS
#define FLAVOR_JOIN(name, ending) name##_calls_##ending
#else
#define FLAVOR_JOIN(name, ending) name##_##ending
#endif
#define FLAVOR_EXPAND(name, ending) FLAVOR_JOIN(name, ending)
#define FLAVOR_(name)               FLAVOR_EXPAND(name, FLAVOR_ENDING)
#define FLAVOR_TEXT(ending)         #ending
#define FLAVOR_QUOTE(ending)        FLAVOR_TEXT(ending)
#define FLAVOR_NAME                 FLAVOR_QUOTE(FLAVOR_ENDING)

#include "rtreg/rtreg.h"

#endif
