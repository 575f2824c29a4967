/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define HTTP_GET "GET /v1/resolve?runtime=runc HTTP/1.1\r\nHost: rtreg\r\n\r\n"

/* --- the servers --- */

static int start_rtregd(struct peers *peers, struct peer *peer)
{
	return rtregd_start(&peer->server, peers->rtregd, &peers->world, peer->threads);
}

static int start_library(struct peers *peers, struct peer *peer)
{
	return server_call(&peer->server, server_constant, text_string(&peers->body));
}

static int start_echo(struct peers *peers, struct peer *peer)
{
	(void)peers;
	return server_call(&peer->server, server_echo, NULL);
}

static int write_text(const char *path, const struct text *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (text->failed)
		return -ENOMEM;
	return fd < 0 ? -errno : fs_write_all(fd, text->data, text->length);
}

static int start_nginx(struct peers *peers, struct peer *peer)
{
	_cleanup_text_ struct text text = {0};
	const char *directory = peers->world.directory;
	char file[PATH_MAX];
	const char *const arguments[] = {"nginx", "-p", directory, "-e", "/dev/null", "-c", file, NULL};
	int r;

	snprintf(file, sizeof(file), "%s/nginx.conf", directory);
	text_printf(
	        &text,
	        "daemon off; master_process off; worker_processes 1; pid nginx.pid;\n"
	        "events { worker_connections 2048; }\n"
	        "http { access_log off; keepalive_requests 1000000000; client_body_temp_path t1;\n"
	        "proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n"
	        "server { listen unix:%s; location / { default_type application/json;\n"
	        "add_header Cache-Control no-cache; add_header Rtreg-Generation 1; add_header ETag '\"1\"';\n"
	        "return 200 '%s'; } } }\n",
	        peer->server.socket, text_string(&peers->body));
	r = write_text(file, &text);
	return r < 0 ? r : server_exec(&peer->server, arguments);
}

static int start_redis(struct peers *peers, struct peer *peer)
{
	const char *const arguments[] = {"redis-server",
	                                 "--port",
	                                 "0",
	                                 "--unixsocket",
	                                 peer->server.socket,
	                                 "--dir",
	                                 peers->world.directory,
	                                 "--save",
	                                 "",
	                                 "--appendonly",
	                                 "no",
	                                 NULL};

	return server_exec(&peer->server, arguments);
}

static int start_memcached(struct peers *peers, struct peer *peer)
{
	const char *const arguments[] = {"memcached",         "-t", "1", "-u", "root", "-s",
	                                 peer->server.socket, NULL};

	(void)peers;
	return server_exec(&peer->server, arguments);
}

/* Puts the same bytes where the requests will look for them. */
static int fill(struct peers *peers, struct peer *peer)
{
	_cleanup_text_ struct text put = {0}, reply = {0};
	int r;

	if (peer->start == start_redis)
		text_printf(&put, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%zu\r\n%s\r\n", peers->body.length,
		            text_string(&peers->body));
	else if (peer->start == start_memcached)
		text_printf(&put, "set k 0 0 %zu\r\n%s\r\n", peers->body.length, text_string(&peers->body));
	else
		return 0;
	if (put.failed)
		return -ENOMEM;
	peer->server.request = put.data;
	peer->server.request_size = put.length;
	r = server_ask(&peer->server, &reply);
	peer->server.request = peer->request;
	peer->server.request_size = strlen(peer->request);
	return r;
}

static const struct peer table[PEER_COUNT] = {
        [RTREGD] = {.name = "rtregd", .request = HTTP_GET, .start = start_rtregd, .threads = "1"},
        [LIBRARY] = {.name = "libmicrohttpd", .request = HTTP_GET, .start = start_library},
        [ECHO] = {.name = "echo", .request = HTTP_GET, .start = start_echo},
        [TWO_THREADS] = {.name = "rtregd, 2 threads",
                         .request = HTTP_GET,
                         .start = start_rtregd,
                         .threads = "2"},
        [NGINX] = {.name = "nginx", .request = HTTP_GET, .start = start_nginx, .optional = true},
        [REDIS] = {.name = "redis",
                   .request = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                   .start = start_redis,
                   .optional = true},
        [MEMCACHED] = {.name = "memcached",
                       .request = "get k\r\n",
                       .start = start_memcached,
                       .optional = true},
};

/* Starts it, and asks once: `ret_reply` (NULL allowed) is what it said. What goes wrong, `error` tells. */
static int start_peer(struct peers *peers, struct peer *peer, const char *name, struct text *ret_reply,
                      struct rtreg_error *error)
{
	_cleanup_text_ struct text reply = {0};
	int r = server_place(&peer->server, peers->world.directory, name, error);

	if (r < 0)
		return r;
	peer->server.request = peer->request;
	peer->server.request_size = strlen(peer->request);
	r = peer->start(peers, peer);
	if (r == 0)
		r = server_wait(&peer->server);
	if (r == 0)
		r = fill(peers, peer);
	if (r == 0)
		r = server_ask(&peer->server, ret_reply ? ret_reply : &reply);
	return r < 0 ? bench_fail(error, r, "%s does not start: %s", peer->name, server_reason(r)) : 0;
}

/* The body of rtregd's reply is what the others send. */
static int start_first(struct peers *peers, struct rtreg_error *error)
{
	_cleanup_text_ struct text reply = {0};
	const int r = start_peer(peers, &peers->peer[RTREGD], "0", &reply, error);
	const char *body;

	if (r < 0)
		return r;
	body = strstr(text_string(&reply), "\r\n\r\n");
	if (strncmp(text_string(&reply), "HTTP/1.1 200 ", 13) != 0 || !body)
		return bench_fail(error, -EPROTO, "rtregd does not answer as expected");
	text_append(&peers->body, body + 4);
	/* the first reply is made, those after it are kept */
	text_fini(&reply);
	return server_ask(&peers->peer[RTREGD].server, &reply);
}

static int start_others(struct peers *peers, struct rtreg_error *error)
{
	char number[8];

	for (size_t i = 1; i < PEER_COUNT; i++) {
		struct peer *peer = &peers->peer[i];
		int r;

		snprintf(number, sizeof(number), "%zu", i);
		r = start_peer(peers, peer, number, NULL, error);
		if (r < 0 && !peer->optional)
			return r;
		if (r < 0) {
			bench_say("left out: %s, which is not there or does not start", peer->name);
			server_stop(&peer->server);
		}
	}
	return 0;
}

int peer_start(struct peers *peers, struct peer *peer, const char *name, struct rtreg_error *error)
{
	_cleanup_text_ struct text reply = {0};
	const int r = start_peer(peers, peer, name, NULL, error);

	return r < 0 ? r : server_ask(&peer->server, &reply);
}

int peers_init(struct peers *peers, size_t runtimes, struct rtreg_error *error)
{
	int r;

	*peers = (struct peers){0};
	memcpy(peers->peer, table, sizeof(table));
	peers->crowd_rtregd = table[TWO_THREADS];
	peers->crowd_library = table[LIBRARY];
	r = program_find("rtregd", peers->rtregd, error);
	if (r == 0)
		r = program_find("rtregctl", peers->rtregctl, error);
	if (r == 0)
		r = world_init(&peers->world, runtimes);
	if (r == 0)
		r = start_first(peers, error);
	return r < 0 ? r : start_others(peers, error);
}

static void end(struct peer *peer)
{
	load_fini(&peer->load);
	server_stop(&peer->server);
}

void peers_fini(struct peers *peers)
{
	for (size_t i = 0; i < PEER_COUNT; i++)
		end(&peers->peer[i]);
	end(&peers->crowd_rtregd);
	end(&peers->crowd_library);
	text_fini(&peers->body);
	world_fini(&peers->world);
}
