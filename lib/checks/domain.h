/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain names: labels of letters, digits and, within, hyphens, separated by dots. */
#ifndef RTREG_CHECKS_DOMAIN_H
#define RTREG_CHECKS_DOMAIN_H

#include "checks/span.h"

/*
 * The length of the domain name that `text` begins with, up to the first byte that cannot be part of one; 0
 * if there is none, or one with an empty label or a hyphen at a label's end.
 */
size_t domain_length(struct span text);

#endif
