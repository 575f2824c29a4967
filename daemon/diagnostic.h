/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The diagnostic port: /healthz, /readyz and /metrics on 127.0.0.1:network-diagnostic-port, and nothing that
 * changes anything. It is a step of the registry's reload: the port is bound while preparing, so that one in use
 * fails the reload, served from the commit on, and given back on rollback. A commit waits for the thread that
 * serves; that thread must not wait for a reload (gate.h).
 */
#ifndef RTREGD_DIAGNOSTIC_H
#define RTREGD_DIAGNOSTIC_H

#include <stdbool.h>

#include "rtreg/rtreg.h"

struct diagnostic;
struct service;

/* NULL without memory. */
struct diagnostic *diagnostic_new(const struct service *service);
/* Context: the service's registry is open still. NULL is allowed. */
void diagnostic_free(struct diagnostic *diagnostic);
/* The step; `context` is a struct diagnostic. */
int diagnostic_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error);
/*
 * What /readyz answers: 200, or 503 while starting and stopping. /metrics are there from the first time that it is
 * ready. Any thread.
 */
void diagnostic_set_ready(struct diagnostic *diagnostic, bool ready);

#endif
