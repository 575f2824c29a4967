/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the reply to a request goes out: made, or one that was kept; counted, and logged. */
#ifndef RTREGD_ANSWER_H
#define RTREGD_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>

struct request;

/* Counts a request with the status that it is answered with. Before the reply goes: who has had it finds it counted. */
void answer_count(const struct request *request, unsigned status);
/* Queues request->kept, else request->reply, which may be kept for the next. Context: the library's thread. */
enum MHD_Result answer_send(struct request *request, bool close_after);

#endif
