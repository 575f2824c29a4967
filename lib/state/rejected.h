/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * STATE/rejected: what the last reload that failed had read, for whoever wants to know what was wrong
 * (docs/dropins.md). The bytes may hold secrets: the directories have mode 0700, the files 0600.
 *
 *   daemon.json | body.json   the main file, or the request's body
 *   daemon.json.d/NAME        the drop-ins
 *   errors                    one message a line
 *
 * A set is put in place whole, by a rename. It is not synced: it is there for the person who looks now.
 */
#ifndef RTREG_STATE_REJECTED_H
#define RTREG_STATE_REJECTED_H

#include "bytes/sources.h"
#include "state/state.h"

#define REJECTED_DIR "rejected"

/* Puts a set in place of the one that is there. On error that one stays. Context: writer. May block. */
int rejected_write(const struct state *state, const struct sources *sources, const struct rtreg_error *why);

/* Removes it, if there is one. Context: writer. May block. */
int rejected_remove(const struct state *state);

#endif
