/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of a reload: what changed, was reset, needs a restart, was ignored; and the event's attributes.
 */
#ifndef RTREG_DRAFT_REPORT_H
#define RTREG_DRAFT_REPORT_H

#include "draft/draft.h"

/* Each text is JSON, malloc'ed; complete once report_finish() has run. */
struct rtreg_report {
	uint64_t generation, previous;
	bool unchanged;
	char *changed, *reset, *needs_restart, *changed_keys, *attributes;
	char **warnings;
	size_t warning_count;
	char *json;
};

/*
 * Compares the sealed snapshot with the draft's live one. report->unchanged tells whether any live value
 * changed. At start, and for a validation, `sealed` or the live snapshot is missing: then nothing is
 * compared. -ENOMEM.
 */
int report_new(const struct draft *draft, const struct rtreg_snapshot *sealed, struct rtreg_report **ret);

/* Adds what is known before the publication: the generations, warnings and ignored keys. -ENOMEM. */
int report_finish(struct rtreg_report *report, uint64_t generation, uint64_t previous,
                  const struct problems *problems);

/* Adds what commit callbacks reported. Without memory the report stays as it is: it is too late to fail. */
void report_add_commit_errors(struct rtreg_report *report, const struct rtreg_error *errors);

static inline void report_freep(struct rtreg_report **report)
{
	rtreg_report_free(*report);
}
#define _cleanup_report_ _cleanup_(report_freep)

#endif
