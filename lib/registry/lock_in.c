/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lock-ins, for the engine: docs/lockins.md. What is on disk is lockins/lockins.h's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "registry/registry.h"

/* --- coming in: no lock is taken, a step or a reader must not wait for the disk --- */

static int enter(struct rtreg *registry, bool *ret_offline, struct rtreg_error *error)
{
	int r;

	if (registry->writer_thread == gettid())
		return error_set(error, -EDEADLK, NULL, "called from a step or callback of a reload");
	r = blocking_begin(registry->store.head.flavor, ret_offline);
	return r < 0 ? error_set(error, r, NULL, "called inside a reader section") : 0;
}

static void leave(struct rtreg *registry, bool offline)
{
	blocking_end(registry->store.head.flavor, offline);
}

/* Moves a lock-in to the caller, if he wants it. */
static void give(struct rtreg_lock_in *from, struct rtreg_lock_in *ret)
{
	if (!ret)
		return;
	*ret = *from;
	*from = (struct rtreg_lock_in){0};
}

/* --- locking in --- */

/* What is asked for. */
struct request {
	struct lock_in_name name;
	const char *runtime;                   /* "": the default */
	const char *boot_id;                   /* NULL: it survives a reboot */
	const struct rtreg_snapshot *snapshot; /* that answers; NULL: the live one */
};

/* RFC 3339, UTC, with nanoseconds. */
static void write_time(char ret[40])
{
	struct timespec now;
	struct tm utc;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(ret, 40, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(ret + length, 40 - length, ".%09ldZ", now.tv_nsec);
}

/* JSON has no other text, and whoever reads the lock-in must find what is executed. */
static int check_text(const struct rtreg *registry, const struct rtreg_lock_in *lock_in,
                      struct rtreg_error *error)
{
	if (!utf8_is_valid(lock_in->runtime))
		return error_set(error, -EINVAL, "runtime", "the name of the runtime is not in UTF-8");
	if (lock_in->wrapper && !utf8_is_valid(lock_in->wrapper))
		return error_set(
		        error, -EILSEQ, registry->setup.state_dir,
		        "the path of the state directory is not in UTF-8, so that wrapper scripts in it "
		        "cannot be locked in: name another directory");
	return 0;
}

/* Keeps what the lock-in will need, makes it, and reads it back into *ret as everybody else will. */
static int make_from(struct rtreg *registry, const struct request *request,
                     const struct rtreg_snapshot *snapshot, struct rtreg_lock_in *lock_in,
                     struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	_cleanup_(script_fini) struct script script = {0};
	_cleanup_text_ struct text text = {0};
	struct rtreg_lock_in made = {0};
	int r = check_text(registry, lock_in, error);

	if (r < 0)
		return r;
	lock_in_write(&text, lock_in);
	lock_in->json = text.data;
	if (text.failed || lock_in_copy(lock_in, &made) < 0)
		return error_no_memory(error);
	if (lock_in->wrapper) {
		r = snapshot_script(snapshot, lock_in->runtime, &script);
		r = r < 0 ? error_no_memory(error) : lockins_keep_script(&registry->lock_ins, &script, error);
	}
	if (r == 0)
		r = lockins_create(&registry->lock_ins, &request->name, lock_in, error);
	if (r < 0) {
		rtreg_lock_in_fini(&made);
		return r;
	}
	made.created = true;
	*ret = made;
	return 0;
}

static int make(struct rtreg *registry, const struct request *request, const struct rtreg_snapshot *snapshot,
                struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	struct rtreg_runtime runtime;
	struct rtreg_lock_in lock_in;
	char locked[40];
	int r = rtreg_resolve(snapshot, request->runtime, &runtime, error);

	if (r == 0)
		r = rtreg_runtime_check_flavor(&runtime, NULL, error);
	if (r < 0)
		return r;
	write_time(locked);
	/* An implicit shim name is the request's own, and ends with it. */
	lock_in = (struct rtreg_lock_in){.id = request->name.id,
	                                 .root = request->name.root,
	                                 .runtime = runtime.name,
	                                 .shim = runtime.shim,
	                                 .options_json = runtime.options_json,
	                                 .binary = runtime.binary,
	                                 .wrapper = runtime.wrapper,
	                                 .boot_id = request->boot_id,
	                                 .locked = locked,
	                                 .generation = rtreg_snapshot_generation(snapshot)};
	return make_from(registry, request, snapshot, &lock_in, ret, error);
}

/* The answer where there is one already. Takes `found` over. */
static int answer_first(const struct request *request, struct rtreg_lock_in *found, struct rtreg_lock_in *ret,
                        struct rtreg_error *error)
{
	if (request->runtime[0] && strcmp(request->runtime, found->runtime) != 0)
		return error_set(
		        error, -EEXIST, request->name.id,
		        "container %s is locked in to runtime %s, not %s: name no other, or unlock it first",
		        request->name.id, found->runtime, request->runtime);
	*ret = *found;
	*found = (struct rtreg_lock_in){0};
	return 0;
}

static int make_of(struct rtreg *registry, const struct request *request, struct rtreg_lock_in *ret,
                   struct rtreg_error *error)
{
	const struct rtreg_snapshot *snapshot;
	int r;

	if (request->snapshot)
		return make(registry, request, request->snapshot, ret, error);
	snapshot = rtreg_pin(registry);
	r = make(registry, request, snapshot, ret, error);
	rtreg_unpin(snapshot);
	return r;
}

/* One that is there. *ret_void: it was of another boot, and has been removed. */
static int find(struct rtreg *registry, const struct request *request, struct rtreg_lock_in *ret,
                bool *ret_void, struct rtreg_error *error)
{
	_cleanup_lock_in_ struct rtreg_lock_in found = {0};
	_cleanup_close_ int fd = -1;
	int r = lockins_read(&registry->lock_ins, &request->name, &found, &fd, error);

	*ret_void = false;
	if (r < 0)
		return r;
	if (!request->boot_id || !found.boot_id || strcmp(found.boot_id, request->boot_id) == 0)
		return answer_first(request, &found, ret, error);
	r = lockins_remove_read(&registry->lock_ins, &request->name, fd, false, error);
	/* If somebody else has removed it, so much the better. */
	if (r < 0 && r != -ESRCH && r != -ESTALE)
		return r;
	*ret_void = true;
	return 0;
}

/* Context: with the turn of the name. */
static int find_or_make(struct rtreg *registry, const struct request *request, struct rtreg_lock_in *ret,
                        struct rtreg_error *error)
{
	bool again = true;
	int r = 0;

	/* Somebody may remove what was there, or be quicker where there was nothing. */
	while (again) {
		r = find(registry, request, ret, &again, error);
		if (r == -ESRCH) {
			r = make_of(registry, request, ret, error);
			again = r == -EEXIST;
		}
	}
	return r;
}

/* All processes of a machine share its boot, but /proc may be another's: then the next start would take it for void. */
static void warn_of_other_boot(const struct rtreg *registry, const struct rtreg_lock_in *lock_in)
{
	_cleanup_free_ char *line = NULL;
	char ours[BOOT_ID_LENGTH + 1];

	if (!registry->log || !lock_in->boot_id || boot_id_read(ours) < 0 ||
	    strcmp(lock_in->boot_id, ours) == 0)
		return;
	if (asprintf(&line,
	             "container %s is locked in for boot %s, but here /proc/sys/kernel/random/boot_id says "
	             "%s: "
	             "it will be removed at the next start; give both processes the same /proc",
	             lock_in->id, lock_in->boot_id, ours) < 0) {
		line = NULL;
		return;
	}
	registry->log(registry->log_context, RTREG_LOG_WARN, line);
}

static int run(struct rtreg *registry, struct request *request, struct rtreg_lock_in *ret,
               struct rtreg_error *error)
{
	_cleanup_lock_in_ struct rtreg_lock_in lock_in = {0};
	struct lockins_turn turn;
	bool offline = false;
	int r = enter(registry, &offline, error);

	if (r < 0)
		return r;
	lockins_turn_begin(&registry->lock_ins, &turn, &request->name);
	r = find_or_make(registry, request, &lock_in, error);
	lockins_turn_end(&registry->lock_ins, &turn);
	leave(registry, offline);
	if (r < 0)
		return r;
	statistics_count(&registry->statistics, COUNT_LOCK_INS_MADE, lock_in.created);
	if (lock_in.created)
		warn_of_other_boot(registry, &lock_in);
	give(&lock_in, ret);
	return 0;
}

static int lock_in(struct rtreg *registry, const char *root, const char *container, struct request *request,
                   struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};
	int r = lock_in_name_init(&request->name, root, container, error);

	if (r < 0)
		return r;
	if (!request->runtime)
		request->runtime = "";
	/* That there is none yet is no error in the end. */
	r = run(registry, request, ret, &own);
	if (r < 0)
		error_move(error, &own);
	return r;
}

int rtreg_lock_in(struct rtreg *registry, const char *root, const char *container, const char *runtime,
                  struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	return lock_in(registry, root, container, &(struct request){.runtime = runtime}, ret, error);
}

int rtreg_lock_in_at(struct rtreg *registry, const struct rtreg_snapshot *snapshot, const char *root,
                     const char *container, const char *runtime, struct rtreg_lock_in *ret,
                     struct rtreg_error *error)
{
	return lock_in(registry, root, container, &(struct request){.runtime = runtime, .snapshot = snapshot},
	               ret, error);
}

int rtreg_lock_in_for_boot(struct rtreg *registry, const char *root, const char *container,
                           const char *runtime, const char *boot_id, struct rtreg_lock_in *ret,
                           struct rtreg_error *error)
{
	if (!boot_id || !boot_id_is_valid(boot_id))
		return error_set(error, -EINVAL, "boot-id",
		                 "bad boot id: it must be as /proc/sys/kernel/random/boot_id has it");
	return lock_in(registry, root, container, &(struct request){.runtime = runtime, .boot_id = boot_id},
	               ret, error);
}

/* --- unlocking --- */

int rtreg_unlock_if(struct rtreg *registry, const char *root, const char *container, const char *locked,
                    struct rtreg_error *error)
{
	struct lock_in_name name;
	bool offline = false;
	int r = lock_in_name_init(&name, root, container, error);

	if (r == 0)
		r = enter(registry, &offline, error);
	if (r < 0)
		return r;
	r = lockins_remove(&registry->lock_ins, &name, locked, error);
	leave(registry, offline);
	if (r == 0)
		statistics_count(&registry->statistics, COUNT_LOCK_INS_REMOVED, 1);
	return r;
}

int rtreg_unlock(struct rtreg *registry, const char *root, const char *container, struct rtreg_error *error)
{
	return rtreg_unlock_if(registry, root, container, NULL, error);
}

/* --- reading --- */

int rtreg_locked(struct rtreg *registry, const char *root, const char *container, struct rtreg_lock_in *ret,
                 struct rtreg_error *error)
{
	_cleanup_lock_in_ struct rtreg_lock_in found = {0};
	struct lock_in_name name;
	bool offline = false;
	int r = lock_in_name_init(&name, root, container, error);

	if (r == 0)
		r = enter(registry, &offline, error);
	if (r < 0)
		return r;
	r = lockins_read(&registry->lock_ins, &name, &found, NULL, error);
	leave(registry, offline);
	if (r == 0)
		give(&found, ret);
	return r;
}

struct lock_in_list {
	const struct rtreg *registry;
	struct rtreg_lock_in *items;
	size_t count, capacity;
};

static int list_add(void *context, int directory, struct rtreg_lock_in *lock_in)
{
	struct lock_in_list *list = context;

	(void)directory;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct rtreg_lock_in *items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = *lock_in;
	*lock_in = (struct rtreg_lock_in){0};
	return 0;
}

static void log_bad(void *context, const struct rtreg_error *why)
{
	const struct rtreg *registry = ((struct lock_in_list *)context)->registry;

	if (registry->log)
		registry->log(registry->log_context, RTREG_LOG_WARN, why->message);
}

static int compare_lock_ins(const void *a, const void *b)
{
	const struct rtreg_lock_in *first = a, *second = b;
	int order = strcmp(first->root, second->root);

	return order != 0 ? order : strcmp(first->id, second->id);
}

int rtreg_lock_ins(struct rtreg *registry, const char *root, struct rtreg_lock_in **ret, size_t *ret_count,
                   struct rtreg_error *error)
{
	struct lock_in_list list = {.registry = registry};
	const struct lockins_visitor visitor = {.found = list_add, .bad = log_bad, .context = &list};
	struct lock_in_name name;
	bool offline = false;
	int r = root ? lock_in_name_of_root(&name, root, error) : 0;

	if (r == 0)
		r = enter(registry, &offline, error);
	if (r < 0)
		return r;
	r = lockins_scan(&registry->lock_ins, root ? &name : NULL, &visitor, error);
	leave(registry, offline);
	if (r < 0) {
		rtreg_lock_ins_free(list.items, list.count);
		return r;
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), compare_lock_ins);
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}

int rtreg_lock_in_count(struct rtreg *registry, size_t *ret)
{
	bool offline = false;
	int r = enter(registry, &offline, NULL);

	if (r < 0)
		return r;
	r = lockins_count(&registry->lock_ins, ret, NULL);
	leave(registry, offline);
	return r;
}
