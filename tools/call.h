/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to the daemon as the commands make it: what fails is said on stderr and becomes an exit code. */
#ifndef RTREG_TOOLS_CALL_H
#define RTREG_TOOLS_CALL_H

#include <stdio.h>

#include "client/http.h"
#include "command.h"
#include "reply.h"

/* Prints a reply's tree for people; returns the exit code. */
typedef int (*show_fn)(struct json_object *root, const void *context);

/*
 * Makes one request. EXIT_DONE: *ret_reply and *ret_root are the caller's; else all is said, and they are
 * untouched.
 */
int call(const struct ctl *ctl, const struct http_request *request, struct http_reply *ret_reply,
         struct json_object **ret_root);

/* Makes one request and shows its reply: with --json as it came, else by `show`. */
int call_and_show(const struct ctl *ctl, const struct http_request *request, show_fn show,
                  const void *context);

/* As call_and_show() for a plain GET. */
int call_get(const struct ctl *ctl, const char *target, show_fn show, const void *context);

/* Makes one request whose reply is no JSON, or none at all. Returns as call(). */
int call_text(const struct ctl *ctl, const struct http_request *request, struct http_reply *ret_reply);

/*
 * Makes one request whose reply comes line by line. EXIT_DONE: it has come to its end, or *ret_left: line()
 * had enough, or its reader has gone.
 */
int call_stream(const struct ctl *ctl, const struct http_request *request, const struct http_stream *stream,
                bool *ret_left);

/* Prints a reply as it came. */
void call_print(const struct http_reply *reply, FILE *out);

/* Says that a reply lacks what it should have, and returns the exit code for it. */
int call_lacks(const char *what);

#endif
