/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of what the daemon answers to. */
#ifndef RTREGD_ROUTES_H
#define RTREGD_ROUTES_H

#include "request.h"

enum {
	ROUTE_DOCKER = 1,  /* also below /vX.Y, for the docker CLI */
	ROUTE_CHANGES = 2, /* only for those whom trust.h trusts */
	ROUTE_WAITS = 4,   /* its handler suspends */
	/* its handler blocks, and is run by a crew: one for those who may change something, one for those who read */
	ROUTE_BLOCKS = 8,
	ROUTE_EXIT_CODE = 16, /* failures tell what an engine would exit with */
	ROUTE_UPGRADES = 32,  /* only for those who ask for the upgrade of mappers.h */
};

struct route {
	const char *method;
	const char *path; /* "{name}" is one segment */
	void (*handle)(struct request *request);
	unsigned traits;
	size_t body_max; /* bytes; 0: BODY_MAX */
};

/*
 * The patterns of paths are numbered for those who count: 0, "other", is none of them. Those of one path with several
 * methods have one number.
 */
size_t route_count(void);
const char *route_pattern(size_t number);

#define BODY_MAX        ((size_t)1 << 20)
#define RELOAD_BODY_MAX ((size_t)16 << 20)

/*
 * Finds the route of request->uri and fills request->route, route_number and segment, or answers 404, 405 (with
 * the methods there are) or 400 (a bad escape). HEAD is answered where GET is.
 */
void route_request(struct request *request, const char *method);

/* The handlers, by file. */
void api_list_runtimes(struct request *request);
void api_show_runtime(struct request *request);
void api_resolve(struct request *request);
void api_share_snapshot(struct request *request);
void api_show_config(struct request *request);
void api_reload(struct request *request);
void api_confirm(struct request *request);
void api_put_runtime(struct request *request);
void api_remove_runtime(struct request *request);
void api_set_default_runtime(struct request *request);
void api_lock_in(struct request *request);
void api_unlock(struct request *request);
void api_list_lock_ins(struct request *request);
void api_show_lock_in(struct request *request);
void api_show_status(struct request *request);
void api_show_history(struct request *request);
void api_list_events(struct request *request);
void api_show_metrics(struct request *request);
void api_docker_ping(struct request *request);
void api_docker_version(struct request *request);
void api_docker_info(struct request *request);

#endif
