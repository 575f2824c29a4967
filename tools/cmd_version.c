/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl version: the client's version, and the daemon's if it answers. */
#include <stdio.h>

#include "base/json_write.h"
#include "call.h"
#include "display.h"

static void print_as_json(const char *server)
{
	_cleanup_text_ struct text text = {0};

	json_open(&text, '{');
	json_member_string(&text, "client", RTREG_VERSION);
	json_member_string(&text, "server", server);
	json_close(&text, '}');
	puts(text_string(&text));
}

int cmd_version(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_reply_ struct json_object *root = NULL;
	struct http_request request = {.method = "GET", .target = "/v1/status"};
	int code;

	(void)arguments;
	if (!ctl->json) {
		printf("client   %s\n", RTREG_VERSION);
		fflush(stdout);
	}
	code = call(ctl, &request, &reply, &root);
	if (code == EXIT_DONE && !*reply_string(root, "version"))
		code = call_lacks("version");
	if (ctl->json)
		print_as_json(code == EXIT_DONE ? reply_string(root, "version") : NULL);
	if (code != EXIT_DONE || ctl->json)
		return code;
	fputs("server   ", stdout);
	display_print(stdout, reply_string(root, "version"));
	fputc('\n', stdout);
	return EXIT_DONE;
}
