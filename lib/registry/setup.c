/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the engine's options to what reading a configuration needs: keys, flags, defaults, places. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "registry/registry.h"

static int copy_own_keys(struct setup *setup, const struct rtreg_options *options)
{
	setup->own_keys = calloc(options->key_count + 1, sizeof(*setup->own_keys));
	if (!setup->own_keys)
		return -ENOMEM;
	for (size_t i = 0; i < options->key_count; i++) {
		setup->own_keys[i] = options->keys[i];
		if (!options->keys[i].name)
			continue;
		setup->own_keys[i].name = arena_strdup(setup->arena, options->keys[i].name);
		if (!setup->own_keys[i].name)
			return -ENOMEM;
	}
	setup->own_key_count = options->key_count;
	return 0;
}

/* Paths are kept absolute: wrapper scripts are named to others, and the engine may change its directory. */
static int copy_path(struct setup *setup, const char *path, const char **ret)
{
	_cleanup_free_ char *directory = NULL;

	if (path[0] != '/') {
		directory = getcwd(NULL, 0);
		if (!directory)
			return -errno;
	}
	*ret = arena_printf(setup->arena, "%s%s%s", directory ? directory : "", directory ? "/" : "", path);
	return *ret ? 0 : -ENOMEM;
}

static int copy_places(struct setup *setup, const struct rtreg_options *options, struct rtreg_error *error)
{
	int r;

	setup->config_named = options->config_file != NULL;
	r = copy_path(setup, options->config_file ? options->config_file : DEFAULT_CONFIG_FILE,
	              &setup->config_file);
	if (r == 0)
		r = copy_path(setup, options->state_dir ? options->state_dir : DEFAULT_STATE_DIR,
		              &setup->state_dir);
	if (r < 0)
		return error_set(error, r, NULL, "cannot tell the current directory: %s", strerror(-r));
	setup->scripts_dir = arena_printf(setup->arena, "%s/%s", setup->state_dir, SCRIPTS_DIR);
	return setup->scripts_dir ? 0 : error_no_memory(error);
}

static int fill(struct setup *setup, const struct rtreg_options *options, struct rtreg_error *error)
{
	_cleanup_problems_ struct problems problems = {0};
	int r;

	setup->arena = arena_new();
	if (!setup->arena || copy_own_keys(setup, options) < 0)
		return error_no_memory(error);
	r = copy_places(setup, options, error);
	if (r < 0)
		return r;
	r = keyset_new(setup->own_keys, setup->own_key_count, &setup->keys, error);
	if (r < 0)
		return r;
	r = settings_from_flags(setup->arena, setup->keys, options->flags, options->flag_count, &setup->flags,
	                        &problems);
	if (r == 0)
		r = settings_defaults(setup->arena, setup->keys, options->exec_root, &setup->defaults);
	return r < 0 ? error_no_memory(error) : problems_result(&problems, error);
}

int setup_init(struct setup *setup, const struct rtreg_options *options, struct rtreg_error *error)
{
	static const struct rtreg_options none;
	int r;

	*setup = (struct setup){0};
	r = fill(setup, options ? options : &none, error);
	if (r < 0)
		setup_fini(setup);
	return r;
}

void setup_fini(struct setup *setup)
{
	keyset_free(setup->keys);
	free(setup->own_keys);
	arena_free(setup->arena);
	*setup = (struct setup){0};
}
