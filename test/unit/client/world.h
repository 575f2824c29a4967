/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client and the daemon that is played to it, in a directory of their own. */
#ifndef RTREG_TEST_CLIENT_WORLD_H
#define RTREG_TEST_CLIENT_WORLD_H

#include <check.h>
#include <errno.h>
#include <rtreg/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "played.h"

static char folder[32], path[64];
static struct played *played;
static struct rtreg_client *client;
static struct rtreg_error error;

static void world_setup(void)
{
	strcpy(folder, "/tmp/test_client.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
}

static void world_teardown(void)
{
	rtreg_client_close(client);
	client = NULL;
	if (played)
		played_stop(played);
	played = NULL;
	remove(path);
	ck_assert_int_eq(remove(folder), 0);
	rtreg_error_fini(&error);
}

/* Starts the daemon with these turns, and connects. */
static void play_turns(const struct turn *turns, size_t count)
{
	played = played_start(path, turns, count);
	ck_assert_msg(rtreg_client_open(path, &client, &error) == 0, "%s", error.message);
	rtreg_client_set_timeout(client, 60000);
}
#define PLAY(...)                                         \
	static const struct turn turns[] = {__VA_ARGS__}; \
	play_turns(turns, sizeof(turns) / sizeof(turns[0]))

/* What was asked: the first line and the body of the i-th request. */
static void check_request(size_t index, const char *line, const char *body)
{
	const char *text = played_request(played, index), *end = strstr(text, "\r\n\r\n");

	ck_assert_msg(strncmp(text, line, strlen(line)) == 0 &&
	                      strncmp(text + strlen(line), " HTTP/1.1\r\n", 11) == 0,
	              "%s", text);
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end + 4, body);
}

static void check_error(int seen, int code, const char *message)
{
	ck_assert_msg(seen == code, "returned %d: %s", seen, error.message);
	ck_assert_int_eq(error.code, code);
	ck_assert_msg(strstr(error.message, message), "message: %s", error.message);
}

#endif
