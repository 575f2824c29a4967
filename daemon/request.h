/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request, from its first line to its reply. Used by one thread at a time. */
#ifndef RTREGD_REQUEST_H
#define RTREGD_REQUEST_H

#include "connections.h"
#include "crew.h"
#include "kept.h"
#include "mappers.h"
#include "reply.h"
#include "uri.h"

struct MHD_Connection;
struct route;
struct service;

enum request_stage {
	REQUEST_NEW,
	REQUEST_BODY,     /* its body is being read */
	REQUEST_ANSWERED, /* `reply` is, or will be on resumption, what there is to say */
};

struct request {
	struct service *service;
	struct worker *worker;
	struct connection *peer;
	struct MHD_Connection *http;
	const struct route *route;
	size_t route_number; /* see route_count() */
	int64_t began_ns;
	enum request_stage stage;
	bool suspended; /* its handler answers from another thread; only the library's thread looks at this */
	bool had_turn;  /* the library has been back once since the body was complete */
	bool counted;   /* among the server's unanswered ones, as every one that has ever been suspended */
	struct uri uri;
	struct kept_key key;     /* the same as a whole */
	struct kept_reply *kept; /* what is sent in place of `reply`, or NULL */
	char *segment;           /* what {name} of the route's path stands for, decoded; or NULL */
	char *if_match;          /* the header as it came, or NULL */
	bool confirms;           /* a reload that asks for a confirmation */
	struct text body;        /* of a route that changes something */
	size_t body_size;        /* how much has come */
	struct reply reply;
	struct task task;     /* while its handler is a crew's */
	struct mapper mapper; /* of one that upgrades its connection */
};

/*
 * For a handler that cannot answer at once: suspend, then let another thread fill request->reply and resume.
 * After request_suspend() the handler touches the request no more than to hand it over.
 */
void request_suspend(struct request *request);
/*
 * Context: any thread, once. The request may be gone on return. If handing it over failed: the handler's,
 * too.
 */
void request_resume(struct request *request);

#endif
