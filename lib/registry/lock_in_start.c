/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start makes of the lock-ins that it finds (docs/lockins.md). */
#include <errno.h>
#include <string.h>

#include "registry/registry.h"

/* --- the lock-ins --- */

struct reading {
	struct rtreg *registry;
	struct lock_in_start *start;
	struct problems *problems;
	bool boot_known;
	char boot_id[BOOT_ID_LENGTH + 1];
};

/* A state directory that was moved keeps its scripts: what counts is the name. */
static const char *script_name(const char *wrapper)
{
	const char *slash = strrchr(wrapper, '/');

	return slash ? slash + 1 : wrapper;
}

static int note_wrapper(struct lock_in_start *start, const char *wrapper)
{
	const char *name = script_name(wrapper);
	char **wrappers;

	/* Neighbours often have the same. */
	if (start->count > 0 && strcmp(start->wrappers[start->count - 1], name) == 0)
		return 0;
	if (start->count == start->capacity) {
		size_t capacity = start->capacity ? 2 * start->capacity : 16;

		wrappers = reallocarray(start->wrappers, capacity, sizeof(*wrappers));
		if (!wrappers)
			return -ENOMEM;
		start->wrappers = wrappers;
		start->capacity = capacity;
	}
	start->wrappers[start->count] = strdup(name);
	if (!start->wrappers[start->count])
		return -ENOMEM;
	start->count++;
	return 0;
}

/* Whether it is of another boot. Where this one cannot be told, all stay. */
static bool is_void(struct reading *reading, const struct rtreg_lock_in *lock_in)
{
	if (!lock_in->boot_id)
		return false;
	if (!reading->boot_known)
		reading->boot_known = boot_id_read(reading->boot_id) == 0;
	return reading->boot_known && strcmp(lock_in->boot_id, reading->boot_id) != 0;
}

static int read_one(void *context, int directory, struct rtreg_lock_in *lock_in)
{
	struct reading *reading = context;

	if (is_void(reading, lock_in)) {
		unlinkat(directory, lock_in->id, 0);
		return 0;
	}
	return lock_in->wrapper ? note_wrapper(reading->start, lock_in->wrapper) : 0;
}

static void tell_bad(void *context, const struct rtreg_error *why)
{
	struct reading *reading = context;

	problems_warn(reading->problems, why->where, "%s", why->message);
	if (why->code != -EINVAL)
		reading->start->incomplete = true;
}

/* --- their scripts --- */

static const char *digest_of(const char *name)
{
	size_t length = strlen(name);

	return name + (length > DIGEST_LENGTH ? length - DIGEST_LENGTH : 0);
}

static int compare_wrappers(const void *a, const void *b)
{
	const char *first = *(char *const *)a, *second = *(char *const *)b;
	int order = strcmp(digest_of(first), digest_of(second));

	return order != 0 ? order : strcmp(first, second);
}

static void keep_each_once(struct lock_in_start *start)
{
	size_t distinct = 0;

	if (start->count > 0)
		qsort(start->wrappers, start->count, sizeof(*start->wrappers), compare_wrappers);
	for (size_t i = 0; i < start->count; i++) {
		if (distinct > 0 && strcmp(start->wrappers[distinct - 1], start->wrappers[i]) == 0)
			free(start->wrappers[i]);
		else
			start->wrappers[distinct++] = start->wrappers[i];
	}
	start->count = distinct;
}

static bool is_for_want_of_something(int code)
{
	return code == -ENOMEM || code == -EMFILE || code == -ENFILE;
}

static void tell_lost(struct reading *reading, const char *name, const struct rtreg_error *why)
{
	problems_warn(reading->problems, name,
	              "wrapper script %s/%s, to which containers are locked in, is lost (%s): restore it, or "
	              "remove these containers, for no command reaches them",
	              reading->registry->setup.scripts_dir, name, why->message);
	/* What may only be out of reach is not removed. */
	if (why->code != -EBADMSG)
		reading->start->incomplete = true;
}

/* One copy is enough to go on with. -ENOMEM and the like. */
static int keep_again(struct reading *reading, const struct script *script, struct rtreg_error *error)
{
	const char *directory = reading->registry->setup.scripts_dir;
	_cleanup_error_ struct rtreg_error why = {0};
	int r = lockins_keep_script(&reading->registry->lock_ins, script, &why);

	if (r < 0 && is_for_want_of_something(r)) {
		error_move(error, &why);
		return r;
	}
	if (r < 0)
		problems_warn(reading->problems, script->name,
		              "the second copy of wrapper script %s/%s is missing or damaged: %s", directory,
		              script->name, why.message);
	else
		problems_warn(reading->problems, script->name,
		              "the second copy of wrapper script %s/%s was missing or damaged; put right",
		              directory, script->name);
	return 0;
}

/* *ret_count is how many of the scripts were found. */
static int read_scripts(struct reading *reading, struct script *scripts, size_t *ret_count,
                        struct rtreg_error *error)
{
	struct lock_in_start *start = reading->start;
	int r = 0;

	*ret_count = 0;
	for (size_t i = 0; r == 0 && i < start->count; i++) {
		struct script *script = &scripts[*ret_count];
		_cleanup_error_ struct rtreg_error why = {0};
		bool kept;

		r = lockins_read_script(&reading->registry->lock_ins, start->wrappers[i], SCRIPTS_DIR, script,
		                        &kept, &why);
		start->missing[i] = r < 0 && !is_for_want_of_something(r);
		if (start->missing[i]) {
			r = 0;
			continue;
		}
		if (r == 0) {
			++*ret_count;
			r = kept ? 0 : keep_again(reading, script, &why);
		}
		if (r < 0)
			error_move(error, &why);
	}
	return r;
}

static int restore_scripts(struct reading *reading, struct rtreg_error *error)
{
	struct script_list list = {.scripts = calloc(reading->start->count + 1, sizeof(*list.scripts))};
	int r;

	reading->start->missing = calloc(reading->start->count + 1, sizeof(*reading->start->missing));
	if (!list.scripts || !reading->start->missing) {
		script_list_fini(&list);
		return error_no_memory(error);
	}
	r = read_scripts(reading, list.scripts, &list.count, error);
	if (r == 0) {
		r = script_store_restore(reading->registry->scripts, list.scripts, list.count,
		                         reading->problems, error);
		if (r < 0 && error)
			error->code = state_code(r);
		r = state_code(r);
	}
	script_list_fini(&list);
	return r;
}

/* Those that were not to be had before the publication: it has written what the configuration knows. */
static void look_again(struct reading *reading)
{
	struct lock_in_start *start = reading->start;

	for (size_t i = 0; i < start->count; i++) {
		_cleanup_(script_fini) struct script script = {0};
		_cleanup_error_ struct rtreg_error why = {0};
		bool kept;
		int r;

		if (!start->missing[i])
			continue;
		r = lockins_read_script(&reading->registry->lock_ins, start->wrappers[i], SCRIPTS_DIR,
		                        &script, &kept, &why);
		if (r < 0)
			tell_lost(reading, start->wrappers[i], &why);
		else if (!kept && keep_again(reading, &script, &why) < 0)
			problems_warn(reading->problems, script.name, "%s", why.message);
	}
}

/* --- the whole --- */

int lock_in_start(struct rtreg *registry, struct lock_in_start *start, struct problems *problems,
                  struct rtreg_error *error)
{
	struct reading reading = {.registry = registry, .start = start, .problems = problems};
	const struct lockins_visitor visitor = {.found = read_one, .bad = tell_bad, .context = &reading};
	int r;

	r = lockins_scan(&registry->lock_ins, NULL, &visitor, error);
	if (r == 0)
		r = lockins_tidy(&registry->lock_ins, error);
	if (r < 0)
		return r;
	keep_each_once(start);
	return restore_scripts(&reading, error);
}

void lock_in_started(struct rtreg *registry, struct lock_in_start *start, struct problems *problems)
{
	struct reading reading = {.registry = registry, .start = start, .problems = problems};

	look_again(&reading);
	/* In the order of names: all their digests are at the end. */
	for (size_t i = 0; i < start->count; i++)
		memmove(start->wrappers[i], digest_of(start->wrappers[i]),
		        strlen(digest_of(start->wrappers[i])) + 1);
	lockins_sweep_scripts(&registry->lock_ins, start->incomplete, (const char *const *)start->wrappers,
	                      start->count, problems);
	if (start->incomplete)
		problems_warn(problems, registry->setup.scripts_dir,
		              "no unused wrapper scripts were removed from %s, for a lock-in that cannot be "
		              "read may "
		              "need them",
		              registry->setup.scripts_dir);
	else
		script_store_sweep(registry->scripts, problems);
}

void lock_in_start_fini(struct lock_in_start *start)
{
	for (size_t i = 0; i < start->count; i++)
		free(start->wrappers[i]);
	free(start->wrappers);
	free(start->missing);
	*start = (struct lock_in_start){0};
}
