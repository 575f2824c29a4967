/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections that were upgraded (docs/shared.md), each driven by the request thread that has it: a question comes
 * and is answered, anything else closes it. Context of everything here: that thread, but where another is named.
 */
#ifndef RTREGD_MAPPERS_H
#define RTREGD_MAPPERS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/format.h"

struct MHD_Connection;
struct MHD_Response;
struct MHD_UpgradeResponseHandle;
struct mapper;
struct request;

/* Those of one request thread. Zeroed but for the descriptor it is empty. */
struct mappers {
	struct mapper *first;
	int epoll_fd; /* where their questions come, with the mapper as the event's pointer */
};

/* A part of the request that asked for it, which lives until the connection is closed. Zeroed is not in use. */
struct mapper {
	struct mapper *next, **link; /* `link` NULL: is not among the thread's */
	struct request *request;
	struct MHD_UpgradeResponseHandle *handle;
	bool joined; /* counts among those who map; set by the thread that handles the request */
	struct shared_question question;
	size_t got; /* bytes of it */
};

/* Whether the head asks for the upgrade, as it must. */
bool mapper_wanted(struct MHD_Connection *http);
/* The response that upgrades. NULL without memory. */
struct MHD_Response *mapper_new(struct request *request);
/* Gives back what a request took, whether it was upgraded or not. */
void mapper_fini(struct mapper *mapper, struct request *request);

/* Something has come on its connection. */
void mapper_serve(struct mapper *mapper);
/* Closes all of them by the library's next run. */
void mappers_cut(struct mappers *mappers);

#endif
