/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl metrics: the text for Prometheus as rtregd gives it. */
#include "call.h"

int cmd_metrics(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct http_request request = {.method = "GET", .target = "/metrics"};
	int code = call_text(ctl, &request, &reply);

	(void)arguments;
	if (code == EXIT_DONE)
		call_print(&reply, stdout);
	return code;
}
