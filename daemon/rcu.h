/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's liburcu flavour, and the registry's inline readers with it. It is bp because the HTTP library
 * makes the threads: they register by themselves.
 */
#ifndef RTREGD_RCU_H
#define RTREGD_RCU_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RTREGD_SANITIZED
#endif
#endif

/* Inlined, the read side costs a nanosecond; but its misaligned records in 0.13 fill a sanitizer's report. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(RTREGD_SANITIZED) && !defined(__clang_analyzer__)
#define _LGPL_SOURCE
#endif
#include <urcu-bp.h>

#include "rtreg/rtreg.h"

#endif
