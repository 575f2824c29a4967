/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a handler answers: a status, a body, and the generation that it speaks of. Knows nothing of HTTP's
 * library.
 */
#ifndef RTREGD_REPLY_H
#define RTREGD_REPLY_H

#include <stdint.h>

#include "base/text.h"
#include "rtreg/rtreg.h"

/* The version of the Docker Engine API that the routes for the docker CLI speak. */
#define DOCKER_API_VERSION "1.41"

/* What an engine exits with where a container cannot be started for another reason than its runtime's binary. */
#define EXIT_CODE_OTHER 125

struct follower;

/* Zeroed is "not answered yet". */
struct reply {
	unsigned status;
	uint64_t generation;      /* 0: not about configuration */
	const char *content_type; /* NULL: application/json */
	char allow[64];           /* of a 405; else "" */
	const char *upgrade;      /* what to upgrade to, of a 426; else NULL */
	bool docker;              /* carries Api-Version */
	int exit_code;            /* what a failure tells of; 0: nothing */
	int64_t keep_ns; /* for how long it is the same within its generation; 0: it may not be kept */
	struct text body;
	struct follower *follower; /* tells the body instead, if not NULL */
};

void reply_fini(struct reply *reply);

/* Replaces the body with {"message": …}. */
void reply_message(struct reply *reply, unsigned status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/*
 * Replaces the body with the error's message and, where there are several, "errors". `result` is the negative
 * errno that came with it.
 */
void reply_failure(struct reply *reply, unsigned status, int result, const struct rtreg_error *error);

/* The message of an error, or what errno says where it has none. */
const char *failure_message(int result, const struct rtreg_error *error);
/* Appends all messages of an error as a JSON array of strings. */
void failure_append(struct text *text, int result, const struct rtreg_error *error);

/*
 * Writes a whole error reply to a socket, for those who never reach a handler. What does not fit into the
 * socket's buffer at once is lost.
 */
void reply_write_raw(int fd, unsigned status, const char *message);

#endif
