/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client has mapped of rtregd's memory (docs/shared.md), and the connection on which it fetches more. */
#ifndef RTREG_CLIENT_MAPPING_H
#define RTREG_CLIENT_MAPPING_H

#include "shared/read.h"

#define MAPPING_SHIM_MAX 256

/* Begin with `{.fd = -1}`. */
struct mapping {
	bool wanted;
	bool stale;                      /* what is mapped may answer while nobody is there */
	int fd;                          /* the connection that was upgraded; -1: none */
	struct shared_view view;         /* of the daemon that was last seen alive */
	struct shared_snapshot snapshot; /* perhaps of one before */
	struct shared_snapshot before;   /* until the end of the call */
	uint64_t floor;                  /* the newest generation that the daemon of `view` has told of */
	int64_t retry_ns;                /* when to try again, after a failure */
	char shim[MAPPING_SHIM_MAX];     /* a name that is a shim by itself, as was asked last */
	char *long_shim;
};

/* Whether the snapshot is the live configuration. Loads, and nothing else. */
static inline bool mapping_is_current(const struct mapping *mapping)
{
	return mapping->view.control &&
	       mapping->snapshot.generation >= shared_view_generation(&mapping->view) &&
	       mapping->snapshot.generation >= mapping->floor &&
	       mapping->snapshot.epoch == mapping->view.control->epoch && shared_view_alive(&mapping->view);
}

/*
 * Fetches what is live, connecting where need be; the snapshot before stays until mapping_settle(). False: it cannot
 * be had for the moment.
 */
bool mapping_fetch(struct mapping *mapping, const char *socket, int64_t timeout_ms);
/* Ends a call: strings of the one before are gone. */
void mapping_settle(struct mapping *mapping);

/* The socket has told of a generation. */
void mapping_note(struct mapping *mapping, uint64_t generation);
/* Whether it may answer where nobody is there. */
bool mapping_may_be_stale(const struct mapping *mapping);

/* Resolves in the snapshot. Errors: -EINVAL; -ENOMEM for a shim of an unusual length. */
int mapping_resolve(struct mapping *mapping, const char *name, struct rtreg_runtime *ret,
                    struct rtreg_error *error);

/* In a child process: the connection is the parent's. */
void mapping_disconnect(struct mapping *mapping);
void mapping_fini(struct mapping *mapping);

#endif
