/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `socket`: the servers that are measured beside each other, and the world that they are in. */
#ifndef RTREG_BENCH_PEERS_H
#define RTREG_BENCH_PEERS_H

#include "bench/rtregd.h"

/* What one load tells of. */
enum output { OUTPUT_CPU, OUTPUT_TIME, OUTPUT_P50, OUTPUT_P99, OUTPUT_P999, OUTPUT_COUNT };

/* One measurement with several figures, each of which is another case's. */
struct sample {
	double figures[OUTPUT_COUNT];
	unsigned untold; /* bits of those that no case has had yet */
};

enum { RTREGD, LIBRARY, ECHO, TWO_THREADS, NGINX, REDIS, MEMCACHED, PEER_COUNT };

struct peers;

struct peer {
	const char *name, *request;
	int (*start)(struct peers *peers, struct peer *peer);
	bool optional;       /* left out where its program is not there */
	const char *threads; /* of rtregd */
	/* while it runs */
	struct server server;
	struct load load;
	struct sample sample;
};

struct peers {
	struct world world;
	char rtregd[PATH_MAX], rtregctl[PATH_MAX];
	struct text body; /* what rtregd answers */
	struct peer peer[PEER_COUNT];
	struct peer crowd_rtregd, crowd_library; /* further ones, begun by peer_start() */
};

/*
 * Finds the programs, and starts all servers; those that are optional and do not start are told of and have no process.
 * To be taken away with peers_fini(), after a failure too.
 */
int peers_init(struct peers *peers, size_t runtimes, struct rtreg_error *error);
void peers_fini(struct peers *peers);
/* Starts one more like `peers->peer[...]`, whose socket is called `name`, and asks it twice. */
int peer_start(struct peers *peers, struct peer *peer, const char *name, struct rtreg_error *error);

#endif
