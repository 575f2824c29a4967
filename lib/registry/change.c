/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes through the registry that last: they are written to its own drop-in (docs/dropins.md). */
#include "registry/change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/utf8.h"
#include "registry/own_fragment.h"
#include "registry/registry.h"
#include "values/mask.h"

#define ATTEMPTS_MAX 3 /* where somebody else changes the file as well */

/* --- the step --- */

static int fail(const struct change *change, int code, const char *what, struct rtreg_error *error)
{
	return error_set(error, state_code(code), change->path, "cannot %s %s: %s; %s", what, change->path,
	                 fs_error_text(code), fs_error_advice(code));
}

static void close_directory(struct change *change)
{
	if (change->fd >= 0)
		close(change->fd);
	change->fd = -1;
}

static int keep(void *context, struct rtreg_error *error)
{
	struct change *change = context;

	(void)error;
	replacement_keep(&change->replacement);
	close_directory(change);
	return 0;
}

static int take_back(void *context, struct rtreg_error *error)
{
	struct change *change = context;
	int r = replacement_undo(&change->replacement);

	close_directory(change);
	if (change->made)
		rmdir(change->directory);
	return r < 0 ? fail(change, r, "put back", error) : 0;
}

static int open_directory(struct change *change)
{
	int r;

	change->made = mkdir(change->directory, 0755) == 0;
	if (!change->made && errno != EEXIST)
		return -errno;
	r = change->made ? fs_sync_parent(change->directory) : 0;
	if (r < 0)
		return r;
	change->fd = open(change->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return change->fd < 0 ? -errno : 0;
}

static mode_t mode_of(const struct change *change)
{
	struct stat st;

	if (fstatat(change->fd, OWN_FRAGMENT, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0644;
	return st.st_mode & 0777;
}

/* The content as the registry would write it; malloc'ed. */
static int read_own(const char *path, struct arena *arena, struct value *ret, char **ret_text,
                    struct rtreg_error *error)
{
	size_t length;
	int r = own_fragment_read(arena, path, ret, error);

	if (r < 0)
		return r;
	*ret_text = own_fragment_text(ret, &length);
	return *ret_text ? 0 : error_no_memory(error);
}

/* Reading and probing take their time, and a person may edit the file too. */
static int check_overtaken(struct change *change, struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *now = NULL;
	struct value object;
	int r = arena ? read_own(change->path, arena, &object, &now, NULL) : -ENOMEM;

	if (r == -ENOMEM)
		return error_no_memory(error);
	change->overtaken = r < 0 || strcmp(now, change->before) != 0;
	if (!change->overtaken)
		return 0;
	return error_set(error, -EBUSY, change->path, "%s: somebody else is changing it; try again",
	                 change->path);
}

static int write_file(struct change *change, struct rtreg_error *error)
{
	int r = open_directory(change);

	if (r == 0)
		r = check_overtaken(change, error);
	if (change->overtaken || r == -ENOMEM)
		return r;
	if (r == 0)
		r = replace_file(&change->replacement, change->fd, OWN_FRAGMENT, change->text,
		                 change->overlay.size, mode_of(change));
	return r < 0 ? fail(change, r, change->text ? "write" : "remove", error) : 0;
}

int change_step(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	struct change *change = context;
	int r;

	if (!change->writes)
		return 0;
	r = write_file(change, error);
	if (r < 0) {
		take_back(change, NULL);
		return r;
	}
	rtreg_txn_on_commit(txn, keep, change);
	rtreg_txn_on_rollback(txn, take_back, change);
	return 0;
}

/* --- what a change would be --- */

static void change_fini(struct change *change)
{
	close_directory(change);
	free(change->directory);
	free(change->path);
	free(change->before);
	free(change->text);
}

static int name_places(struct change *change, const struct setup *setup)
{
	if (asprintf(&change->directory, "%s" DROPINS_SUFFIX, setup->config_file) < 0)
		change->directory = NULL;
	else if (asprintf(&change->path, "%s/" OWN_FRAGMENT, change->directory) < 0)
		change->path = NULL;
	return change->path ? 0 : -ENOMEM;
}

/* What the files say without the registry's own: only their settings are looked at. */
static int read_others(struct rtreg *registry, struct input *ret, struct rtreg_error *error)
{
	_cleanup_problems_ struct problems problems = {0};
	const struct overlay none = {.name = OWN_FRAGMENT};
	const struct keyset *keys = __atomic_load_n(&registry->setup.keys, __ATOMIC_ACQUIRE);

	return input_read(ret, &registry->setup, keys, NULL, &none, &problems, error);
}

static const char *file_of(const struct rtreg *registry, const char *fragment, struct text *scratch)
{
	if (!fragment)
		return registry->setup.config_file;
	text_printf(scratch, "%s" DROPINS_SUFFIX "/%s", registry->setup.config_file, fragment);
	return text_string(scratch);
}

static bool find_runtime(const struct setting *runtimes, const char *name, uint32_t *ret)
{
	for (uint32_t i = 0; i < runtimes->value.count; i++)
		if (strcmp(runtimes->value.members[i].key, name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool is_stock(const struct rtreg_snapshot *live, const char *name)
{
	struct rtreg_runtime runtime;
	bool stock;

	for (size_t i = 0; rtreg_snapshot_runtime(live, i, &runtime, &stock) == 0; i++)
		if (stock && strcmp(runtime.name, name) == 0)
			return true;
	return false;
}

/* Where a runtime stands that is not in the registry's own drop-in. */
static void print_place(struct text *text, const struct rtreg *registry, const struct rtreg_snapshot *live,
                        const struct input *others, const char *name)
{
	const struct setting *files = &others->file.items[KEY_ID_RUNTIMES];
	_cleanup_text_ struct text path = {0};
	uint32_t at;

	if (find_runtime(files, name, &at))
		text_printf(text, " is in %s, which only its owner changes",
		            file_of(registry, settings_member_fragment(files, at), &path));
	else if (find_runtime(&registry->setup.flags.items[KEY_ID_RUNTIMES], name, &at))
		text_append(text, " comes from the flag --add-runtime");
	else if (is_stock(live, name))
		text_append(text, " is always there: it is a stock runtime");
	else if (find_runtime(&live->settings.items[KEY_ID_RUNTIMES], name, &at))
		text_append(text, " is in no file any more; a reload of the files lets it go");
	text->failed |= path.failed;
}

static int not_ours(struct rtreg *registry, const struct rtreg_snapshot *live, const char *name,
                    struct rtreg_error *error)
{
	_cleanup_(input_fini) struct input others = {0};
	_cleanup_text_ struct text shown = {0}, place = {0};
	int r = read_others(registry, &others, error);

	if (r < 0)
		return r;
	mask_name(&shown, name);
	print_place(&place, registry, live, &others, name);
	if (shown.failed || place.failed)
		return error_no_memory(error);
	if (place.length == 0)
		return error_set(error, -ESRCH, "runtimes", "unknown runtime: %s", text_string(&shown));
	return error_set(error, -ESRCH, "runtimes", "runtime %s%s", text_string(&shown), text_string(&place));
}

static int check_remove(const struct rtreg_snapshot *live, const char *name, struct rtreg_error *error)
{
	_cleanup_text_ struct text shown = {0};

	if (strcmp(settings_string(&live->settings, KEY_ID_DEFAULT_RUNTIME), name) != 0)
		return 0;
	mask_name(&shown, name);
	return error_set(error, -EINVAL, "default-runtime",
	                 "runtime %s is the default; set another default first", text_string(&shown));
}

static int check_default(struct rtreg *registry, const char *name, struct rtreg_error *error)
{
	_cleanup_(input_fini) struct input others = {0};
	_cleanup_text_ struct text path = {0};
	const struct setting *setting;
	int r = name[0] == '\0' ? 0 : read_others(registry, &others, error);

	if (r < 0 || name[0] == '\0')
		return r;
	setting = &others.file.items[KEY_ID_DEFAULT_RUNTIME];
	if (!setting->set)
		return 0;
	return error_set(error, -EINVAL, "default-runtime",
	                 "default-runtime is set in %s: change it there, or take it out",
	                 file_of(registry, setting->fragment, &path));
}

static int check(struct rtreg *registry, const struct rtreg_snapshot *live, const struct rtreg_change *change,
                 uint64_t generation, struct rtreg_error *error)
{
	if (generation != 0 && generation != live->head.generation)
		return reload_stale(live->head.generation, generation, error);
	if (change->kind == RTREG_REMOVE_RUNTIME)
		return check_remove(live, change->name, error);
	return change->kind == RTREG_SET_DEFAULT ? check_default(registry, change->name, error) : 0;
}

/* The content before and after, and whether it is to be written. */
static int prepare(struct change *change, struct rtreg *registry, const struct rtreg_snapshot *live,
                   const struct rtreg_change *wanted, struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct value object = {0};
	int r;

	if (!arena || name_places(change, &registry->setup) < 0)
		return error_no_memory(error);
	r = read_own(change->path, arena, &object, &change->before, error);
	if (r < 0)
		return r;
	r = own_fragment_edit(arena, change->path, wanted, &object, error);
	if (r == -ESRCH)
		return not_ours(registry, live, wanted->name, error);
	if (r < 0)
		return r;
	change->overlay.name = OWN_FRAGMENT;
	change->text = own_fragment_text(&object, &change->overlay.size);
	if (!change->text)
		return error_no_memory(error);
	change->writes = strcmp(change->before, change->text) != 0;
	if (object.count == 0)
		free(take(change->text));
	change->overlay.bytes = change->text;
	return 0;
}

static int run_once(struct rtreg *registry, const struct rtreg_change *wanted, uint64_t generation,
                    bool *ret_overtaken, struct rtreg_report **ret, struct rtreg_error *error)
{
	const struct rtreg_snapshot *live = rtreg_pin(registry);
	_cleanup_(change_fini) struct change change = {.fd = -1};
	struct reload_request request = {.change = &change, .generation = generation};
	int r = check(registry, live, wanted, generation, error);

	if (r == 0)
		r = prepare(&change, registry, live, wanted, error);
	/* A drop-in that stays is read as it is. */
	if (change.writes)
		request.overlay = &change.overlay;
	rtreg_unpin(live);
	if (r == 0)
		r = reload_run(registry, &request, ret, error);
	*ret_overtaken = change.overtaken;
	return r;
}

/* Context: the lock of changes held, outside reader sections. */
static int run(struct rtreg *registry, const struct rtreg_change *wanted, uint64_t generation,
               struct rtreg_report **ret, struct rtreg_error *error)
{
	bool overtaken = true;
	int r = 0;

	for (int i = 0; overtaken && i < ATTEMPTS_MAX; i++) {
		rtreg_error_fini(error);
		r = run_once(registry, wanted, generation, &overtaken, ret, error);
	}
	return r;
}

static int check_arguments(const struct rtreg_change *change, struct rtreg_error *error)
{
	if (change->kind < RTREG_PUT_RUNTIME || change->kind > RTREG_SET_DEFAULT)
		return error_set(error, -EINVAL, NULL, "unknown kind of change: %d", (int)change->kind);
	if (!change->name)
		return error_set(error, -EINVAL, NULL, "a change needs a name");
	if (!utf8_is_valid(change->name))
		return error_set(error, -EINVAL, NULL, "the name of a runtime must be UTF-8");
	return 0;
}

static int change_by_name(struct rtreg *registry, const struct rtreg_change *change, uint64_t generation,
                          struct rtreg_report **ret, struct rtreg_error *error)
{
	const struct rcu_flavor_struct *flavor = registry->store.head.flavor;
	bool offline;
	int r = check_arguments(change, error);

	if (r < 0)
		return r;
	if (registry->writer_thread == gettid())
		return error_set(error, -EDEADLK, NULL, "called from a step or callback of a reload");
	r = blocking_begin(flavor, &offline);
	if (r < 0)
		return error_set(error, r, NULL, "called inside a reader section");
	pthread_mutex_lock(&registry->changes);
	r = run(registry, change, generation, ret, error);
	pthread_mutex_unlock(&registry->changes);
	blocking_end(flavor, offline);
	return r;
}

int rtreg_change(struct rtreg *registry, const struct rtreg_change *change, uint64_t generation,
                 struct rtreg_report **ret, struct rtreg_error *error)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct rtreg_change named = *change;
	int r = 0;

	if (change->kind == RTREG_SET_DEFAULT && !change->name && change->entry) {
		arena = arena_new();
		r = arena ? own_fragment_default(arena, change, &named.name, error) : error_no_memory(error);
	}
	return r < 0 ? r : change_by_name(registry, &named, generation, ret, error);
}
