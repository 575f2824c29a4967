/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trial of a configuration: what is confirmed, and the record of it on disk (docs/confirm.md).
 *
 *               trial_step            rtreg_confirm
 *   no record ─────────────▶ pending ───────────────▶ no record
 *       ▲                       │ rtreg_revert, a start
 *       │ a reload from files   ▼
 *       └─────────────────── reverted
 *
 * Context of all: writer, where nothing else is said.
 */
#ifndef RTREG_REGISTRY_TRIAL_H
#define RTREG_REGISTRY_TRIAL_H

#include <stdatomic.h>

#include "base/replace.h"
#include "registry/record.h"

struct input;

struct trial {
	const struct rtreg_snapshot *confirmed; /* pinned; NULL: nothing is on trial */
	struct record record;                   /* what is on disk; without a trial it is of the one before */
	bool inherited;              /* its files are those of the trial before; now it is a body's */
	_Atomic uint64_t generation; /* the confirmed one; 0: nothing is on trial. For any thread */
	bool at_open;                /* the open took the record; constant from then on */
};

/* The part of a reload that concerns trials: the last of its steps. */
struct trial_step {
	struct rtreg *registry;
	const struct input *input;
	bool begins; /* with RTREG_RELOAD_TRIAL */
	/* its own */
	const struct rtreg_snapshot *pinned;
	struct record next;
	bool inherits;
	char *text; /* of the record that a revert leaves behind */
	struct replacement replacement;
};
int trial_step(struct rtreg_txn *txn, void *context, struct rtreg_error *error);

/* A reload that succeeded, and was not to be tried: the operator wants what the files say. */
void trial_note_reload(struct rtreg *registry, const struct input *input);

/* Fills `error` and returns -ESRCH. */
int trial_none(struct rtreg_error *error);

/* Writes `text` as the record, which it then is; NULL: removes it. On failure the old one is in place. */
int trial_replace_record(struct rtreg *registry, const char *text, const struct record *record,
                         struct rtreg_error *error);

/* Whether there is a record in the state directory `path`, which may not exist. Context: any thread. */
bool trial_record_exists(const char *path);

/*
 * At open, with the state directory locked: fills `input` with the recorded configuration if that is to be
 * taken, and sets *ret. An error of the record says what to do.
 */
int trial_open(struct rtreg *registry, struct input *input, bool *ret, struct problems *problems,
               struct rtreg_error *error);
/* Adds what to do to an error of a recorded configuration. Returns `code`. */
int trial_open_failed(const struct rtreg *registry, int code, struct rtreg_error *error);
/* After the first publication: the record as it has to be from now on. */
void trial_opened(struct rtreg *registry, struct problems *problems);

/* At close. The record stays. */
void trial_fini(struct trial *trial);

#endif
