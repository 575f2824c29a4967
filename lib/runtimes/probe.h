/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking runtime binaries for their OCI `features` document (CONTRACT C46): in parallel, within one time
 * limit for all, and remembered as long as the binary (device, inode, size, mtime) is the same.
 */
#ifndef RTREG_RUNTIMES_PROBE_H
#define RTREG_RUNTIMES_PROBE_H

#include "base/problems.h"
#include "base/statistics.h"

#define PROBE_LIMIT_MS  5000
#define PROBE_IDLE_RUNS 16

struct probe_cache;

/* NULL without memory. The cache has a lock of its own. `statistics` (NULL: none) outlive it. */
struct probe_cache *probe_cache_new(struct statistics *statistics);
void probe_cache_free(struct probe_cache *cache);

/*
 * Runs `<path> features` for each of `count` paths that is new or changed; `limit_ms` for all of them
 * together (tests use a short one). A document is a JSON object of at most 1 MiB. What fails is a warning in
 * `problems`, once: it is asked again only when the binary changes. What was not there by the limit is
 * killed, a warning, and asked again next time. What is known of other
 * paths is forgotten after PROBE_IDLE_RUNS runs without them: a reload that comes back to them because this
 * one fails has use for it. *ret (may be NULL) holds the answers for `paths`, whatever others ask meanwhile;
 * the caller's. Context: any thread, one call at a time is run, others wait. May block. Returns 0 or -ENOMEM.
 */
struct probe_answers;
int probe_run(struct probe_cache *cache, const char *const *paths, size_t count, int limit_ms,
              struct problems *problems, struct probe_answers **ret);
/* NULL is allowed. */
void probe_answers_free(struct probe_answers *answers);
/* The document of `path`, which belongs to `answers`, or NULL. */
const char *probe_answers_get(const struct probe_answers *answers, const char *path);

/*
 * The remembered document of `path`, malloc'ed, or NULL if the binary gave none. -ENOENT: nothing is known of
 * it; -ENOMEM. Starts no process. Context: any thread.
 */
int probe_get(struct probe_cache *cache, const char *path, char **ret);

#endif
