/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two messages of an exchange, as HTTP/1.1 has them: writes the request, takes the reply apart. */
#ifndef RTREG_CLIENT_MESSAGE_H
#define RTREG_CLIENT_MESSAGE_H

#include "client/exchange.h"
#include "client/http.h"

#define REPLY_LENGTH_MAX ((size_t)1 << 30)

/* `keep`: another request may follow on the connection. */
void message_write(struct text *out, const struct http_request *request, bool keep);

/*
 * Sends what is in `out` and takes the reply to it. `stream` (NULL: none) is for one that says yes. *ret_keep:
 * the connection is ready for another request. Returns as http_stream(); *ret and *ret_keep are untouched on
 * failure.
 */
int message_take(struct exchange *x, const struct http_stream *stream, struct http_reply *ret,
                 bool *ret_keep);

#endif
