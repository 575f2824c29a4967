/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define LENGTH_MIN 12
#define LENGTH_MAX 20

/* A few letters that differ, and the number, which makes them unique: "ovkqymte-0003f". */
static void make_name(char *name, size_t length, size_t number, uint64_t *state)
{
	char digits[16];
	const size_t tail = (size_t)snprintf(digits, sizeof(digits), "-%05zx", number);

	for (size_t i = 0; i < length - tail; i++) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		name[i] = (char)('a' + (*state >> 33) % 26);
	}
	memcpy(name + length - tail, digits, tail + 1);
}

static int make_names(struct world *world)
{
	uint64_t state = 7;

	world->names = calloc(world->count, sizeof(*world->names));
	world->letters = calloc(world->count, LENGTH_MAX + 1);
	if (!world->names || !world->letters)
		return -ENOMEM;
	for (size_t i = 0; i < world->count; i++) {
		const size_t length = LENGTH_MIN + i % (LENGTH_MAX - LENGTH_MIN + 1);
		char *name = world->letters + i * (LENGTH_MAX + 1);

		make_name(name, length, i, &state);
		world->names[i] = (struct world_name){name, length};
	}
	return 0;
}

int world_configuration(const struct world *world, unsigned long label, struct text *ret)
{
	text_printf(ret, "{\"labels\":[\"number=%lu\"],\"runtimes\":{", label);
	for (size_t i = 0; i < world->count; i++)
		text_printf(ret, "%s\"%s\":{\"runtimeType\":\"io.containerd.bench.v2\"}", i > 0 ? "," : "",
		            world->names[i].text);
	text_append(ret, "}}\n");
	return ret->failed ? -ENOMEM : 0;
}

static int write_configuration(const struct world *world)
{
	_cleanup_text_ struct text text = {0};
	_cleanup_close_ int fd = -1;
	int r = world_configuration(world, 1, &text);

	if (r < 0)
		return r;
	fd = open(world->config, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fs_write_all(fd, text.data, text.length);
}

int world_init(struct world *world, size_t count)
{
	const char *temporary = getenv("TMPDIR");
	int r;

	*world = (struct world){.count = count};
	r = snprintf(world->directory, sizeof(world->directory), "%s/rtreg-bench.XXXXXX",
	             temporary && *temporary ? temporary : "/tmp");
	r = r >= (int)sizeof(world->directory) ? -ENAMETOOLONG : mkdtemp(world->directory) ? 0 : -errno;
	if (r < 0) {
		bench_say("cannot make the directory %s: %s", world->directory, strerror(-r));
		*world->directory = '\0';
		return r;
	}
	snprintf(world->config, sizeof(world->config), "%s/daemon.json", world->directory);
	snprintf(world->state, sizeof(world->state), "%s/state", world->directory);
	snprintf(world->exec_root, sizeof(world->exec_root), "%s/exec", world->directory);
	world->options = (struct rtreg_options){
	        .config_file = world->config,
	        .state_dir = world->state,
	        .exec_root = world->exec_root,
	};
	r = make_names(world);
	return r < 0 ? r : write_configuration(world);
}

int world_open(struct world *world, const struct rcu_flavor_struct *flavor, struct rtreg_error *error)
{
	return rtreg_open_flavor(&world->options, flavor, &world->registry, error);
}

void world_fini(struct world *world)
{
	rtreg_close(world->registry);
	if (*world->directory)
		(void)fs_remove_tree(AT_FDCWD, world->directory);
	free(world->names);
	free(world->letters);
	*world = (struct world){0};
}
