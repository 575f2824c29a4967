/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl confirm: keeps what `reload --confirm` has made live. */
#include "call.h"

int cmd_confirm(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	struct http_request request = {.method = "POST", .target = "/v1/confirm"};
	int code = call_text(ctl, &request, &reply);

	(void)arguments;
	if (code != EXIT_DONE)
		return code;
	if (ctl->json)
		call_print(&reply, stdout);
	else
		puts("confirmed");
	return EXIT_DONE;
}
