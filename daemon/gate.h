/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A generation is live a moment before its entry stands in history and events. Who asks for either waits
 * here for that moment to pass, so that nobody sees a generation and not what was written down about it. The
 * same for a failure: status, history, events and log tell of it at once.
 */
#ifndef RTREGD_GATE_H
#define RTREGD_GATE_H

#include "rtreg/rtreg.h"

struct gate;

struct gate *gate_new(void);
void gate_free(struct gate *gate);

/* Something is about to be written down in several places. Context: the thread that opens it again. */
void gate_close(struct gate *gate);
/* The last step of a reload, just before the publication: closes the gate. `context` is the gate. */
int gate_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error);
/* What came of the reload is written down. Also after one that did not get as far as the gate. */
void gate_open(struct gate *gate);
/* Waits until the gate is open. Context: request threads, not in a reader section. */
void gate_pass(struct gate *gate);

#endif
