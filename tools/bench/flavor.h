/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One of liburcu's flavours, chosen with -DFLAVOR_BP, _MEMB, _MB or _QSBR; two of them cannot be included by one file.
 * FLAVOR_(name) gives a name the flavour's ending, so that one file can be compiled for each.
 */
#ifndef RTREG_BENCH_FLAVOR_H
#define RTREG_BENCH_FLAVOR_H

#if defined(FLAVOR_BP)
#include <urcu-bp.h>
#define FLAVOR_(name) name##_bp
#define FLAVOR_NAME   "bp"
#elif defined(FLAVOR_QSBR)
#include <urcu-qsbr.h>
#define FLAVOR_(name) name##_qsbr
#define FLAVOR_NAME   "qsbr"
#elif defined(FLAVOR_MB)
#define RCU_MB
#include <urcu.h>
#define FLAVOR_(name) name##_mb
#define FLAVOR_NAME   "mb"
#elif defined(FLAVOR_MEMB)
#include <urcu.h>
#define FLAVOR_(name) name##_memb
#define FLAVOR_NAME   "memb"
#else
#error "choose a flavour"
#endif

#include "rtreg/rtreg.h"

#endif
