/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/snapshot, for those who map it (docs/shared.md). */
#include <string.h>

#include "connections.h"
#include "routes.h"
#include "service.h"
#include "sharing.h"

/* Context: a crew's thread. The upgrade has been asked for. */
void api_share_snapshot(struct request *request)
{
	int rc;

	if (connections_stopping(request->service->connections)) {
		reply_message(&request->reply, 503, "the daemon is shutting down");
		return;
	}
	rc = sharing_join(request->service->sharing, request->service->registry);
	if (rc < 0) {
		reply_message(&request->reply, 503, "cannot share the configuration: %s", strerror(-rc));
		return;
	}
	request->mapper.joined = true;
	request->reply.status = 101;
}
