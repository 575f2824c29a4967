/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From runtime entries of the configuration to what a container gets: shim, options, binary (CONTRACT C41 to
 * C43).
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cgroup.h"
#include "snapshot/snapshot.h"

#define STOCK_BINARY "runc"
#define RUNC_SHIM    "io.containerd.runc.v2"

static const char *const stock_names[] = {RUNC_SHIM, "runc"}; /* in order of name */

/*
 * The cgroup driver (C42): the first native.cgroupdriver of exec-opts; without one, systemd on cgroup v2
 * under systemd.
 */
static bool uses_systemd_cgroup(const struct settings *settings)
{
	static const char option[] = "native.cgroupdriver=";
	const struct value *list = settings_get(settings, KEY_ID_EXEC_OPTS);

	for (uint32_t i = 0; i < list->count; i++)
		if (strncasecmp(list->elements[i].string, option, sizeof(option) - 1) == 0)
			return strcmp(list->elements[i].string + sizeof(option) - 1, "systemd") == 0;
	return cgroup_is_v2() && access("/run/systemd/system", F_OK) == 0;
}

/*
 * The part of the options that all path runtimes of a configuration share, from `,"Root":` to the closing
 * brace.
 */
static char *common_options(struct arena *arena, const struct settings *settings)
{
	_cleanup_text_ struct text text = {0}, root = {0};
	const char *ramdisk = getenv("DOCKER_RAMDISK");

	text_printf(&root, "%s/runtime-runc", settings_string(settings, KEY_ID_EXEC_ROOT));
	text_append(&text, "{");
	json_member_string(&text, "Root", text_string(&root));
	json_member_bool(&text, "SystemdCgroup", uses_systemd_cgroup(settings));
	json_member_bool(&text, "NoPivotRoot", ramdisk && *ramdisk);
	text_append(&text, "}");
	return text.failed || root.failed ? NULL : arena_strdup(arena, text.data + 1);
}

/* What deriving one runtime needs from the whole. */
struct derivation {
	struct arena *arena;
	const struct derive_context *context;
	const char *common;
	struct script_list *scripts;
	size_t capacity;  /* of `scripts` */
	size_t before;    /* in the snapshot before: the next of its runtimes, in order of name as ours */
	bool same_common; /* its options have the same part in common */
	size_t taken;     /* scripts that it has too */
	struct text text; /* used again and again */
	/* the last document looked up: neighbours often share their binary */
	const char *last_path, *last_features;
};

static char *path_options(struct derivation *d, const char *binary)
{
	d->text.length = 0;
	text_append(&d->text, "{");
	json_member_string(&d->text, "BinaryName", binary);
	text_append(&d->text, ",");
	text_append(&d->text, d->common);
	return d->text.failed ? NULL : arena_strndup(d->arena, d->text.data, d->text.length);
}

/* What the snapshot before knew of the same runtime, where the probes have forgotten it. */
static const char *features_before(const struct rtreg_snapshot *before, const struct rtreg_runtime *runtime)
{
	struct rtreg_runtime found = {0};

	if (!before || rtreg_resolve(before, runtime->name, &found, NULL) < 0 || !found.path ||
	    strcmp(found.path, runtime->path) != 0)
		return NULL;
	return found.features_json;
}

/* *ret is the arena's, or NULL. */
static int find_features(struct derivation *d, const struct rtreg_runtime *runtime, const char **ret)
{
	_cleanup_free_ char *document = NULL;
	const char *features;
	int r;

	if (d->context->answers) {
		features = probe_answers_get(d->context->answers, runtime->path);
	} else {
		r = probe_get(d->context->probes, runtime->path, &document);
		if (r == -ENOMEM)
			return r;
		features = r == 0 ? document : features_before(d->context->before, runtime);
	}
	*ret = features ? arena_strdup(d->arena, features) : NULL;
	return features && !*ret ? -ENOMEM : 0;
}

static int set_features(struct derivation *d, struct rtreg_runtime *runtime)
{
	int r;

	if (!d->context->probes)
		return 0;
	if (!d->last_path || strcmp(d->last_path, runtime->path) != 0) {
		r = find_features(d, runtime, &d->last_features);
		if (r < 0)
			return r;
		d->last_path = runtime->path;
	}
	runtime->features_json = d->last_features;
	return 0;
}

static int make_script(const struct rtreg_runtime *runtime, const struct value *args, struct script *ret)
{
	_cleanup_free_ const char **argv = calloc(args->count, sizeof(*argv));

	if (!argv)
		return -ENOMEM;
	for (uint32_t i = 0; i < args->count; i++)
		argv[i] = args->elements[i].string;
	return script_init(ret, runtime->name, runtime->path, argv, args->count);
}

static int compare_entry(const void *name, const void *entry)
{
	return strcmp(name, ((const struct runtime_entry *)entry)->runtime.name);
}

int snapshot_script(const struct rtreg_snapshot *snapshot, const char *runtime, struct script *ret)
{
	const struct runtime_entry *entry =
	        bsearch(runtime, snapshot->runtimes, snapshot->runtime_count, sizeof(*entry), compare_entry);

	if (!entry || !entry->runtime.wrapper)
		return -ENOENT;
	return make_script(&entry->runtime, value_member(entry->configured, "runtimeArgs"), ret);
}

/* The runtime of that name in the snapshot before, or NULL. Names are asked for in their order. */
static const struct runtime_entry *entry_before(struct derivation *d, const char *name)
{
	const struct rtreg_snapshot *before = d->context->before;
	int order = 1;

	while (before && d->before < before->runtime_count &&
	       (order = strcmp(before->runtimes[d->before].runtime.name, name)) < 0)
		d->before++;
	return order == 0 ? &before->runtimes[d->before] : NULL;
}

/* Whether its wrapper script is that of a runtime of the same name with this path and these arguments. */
static bool has_script_of(const struct runtime_entry *entry, const char *path, const struct value *args)
{
	return entry && entry->runtime.wrapper && strcmp(entry->runtime.path, path) == 0 &&
	       value_equal(value_member(entry->configured, "runtimeArgs"), args);
}

/* What the live snapshot needs is in the store, and looked after there: such a script is not made again. */
static int take_wrapper(struct derivation *d, struct rtreg_runtime *runtime,
                        const struct runtime_entry *before)
{
	d->taken++;
	runtime->binary = runtime->wrapper = arena_strdup(d->arena, before->runtime.wrapper);
	if (d->same_common)
		runtime->options_json = arena_strdup(d->arena, before->runtime.options_json);
	return runtime->wrapper && (runtime->options_json || !d->same_common) ? 0 : -ENOMEM;
}

static struct script *next_script(struct derivation *d)
{
	size_t capacity = d->capacity ? 2 * d->capacity : 16;
	struct script *scripts = d->scripts->scripts;

	if (d->scripts->count < d->capacity)
		return &scripts[d->scripts->count];
	scripts = reallocarray(scripts, capacity, sizeof(*scripts));
	if (!scripts)
		return NULL;
	d->scripts->scripts = scripts;
	d->capacity = capacity;
	return &scripts[d->scripts->count];
}

/* Makes the wrapper script of a runtime with arguments, and points the runtime to it. */
static int make_wrapper(struct derivation *d, struct rtreg_runtime *runtime, const struct value *args)
{
	struct script *script = next_script(d);
	int r = script ? make_script(runtime, args, script) : -ENOMEM;

	if (r < 0)
		return r;
	d->scripts->count++;
	runtime->wrapper = arena_printf(d->arena, "%s/%s", d->context->scripts_dir, script->name);
	runtime->binary = runtime->wrapper;
	return runtime->wrapper ? 0 : -ENOMEM;
}

static int derive_path_runtime(struct derivation *d, struct rtreg_runtime *runtime, const char *path,
                               const struct value *args)
{
	const struct runtime_entry *before = args ? entry_before(d, runtime->name) : NULL;
	int r = 0;

	runtime->shim = RUNC_SHIM;
	runtime->path = path;
	runtime->binary = path;
	if (has_script_of(before, path, args))
		r = take_wrapper(d, runtime, before);
	else if (args)
		r = make_wrapper(d, runtime, args);
	if (r < 0)
		return r;
	if (!runtime->options_json)
		runtime->options_json = path_options(d, runtime->binary);
	if (!runtime->options_json)
		return -ENOMEM;
	return set_features(d, runtime);
}

static int derive_type_runtime(struct derivation *d, struct rtreg_runtime *runtime, const char *type,
                               const struct value *options)
{
	_cleanup_text_ struct text text = {0};

	runtime->shim = type;
	if (!options)
		return 0;
	value_write(&text, options);
	runtime->options_json = text.failed ? NULL : arena_strndup(d->arena, text.data, text.length);
	return runtime->options_json ? 0 : -ENOMEM;
}

static int derive_one(struct derivation *d, struct runtime_entry *entry, const char *name,
                      const struct value *configured)
{
	const char *path = configured ? value_string(value_member(configured, "path")) : STOCK_BINARY;
	int r;

	entry->configured = configured;
	entry->runtime.name = name;
	if (path)
		r = derive_path_runtime(d, &entry->runtime, path,
		                        configured ? value_member(configured, "runtimeArgs") : NULL);
	else
		r = derive_type_runtime(d, &entry->runtime,
		                        value_string(value_member(configured, "runtimeType")),
		                        value_member(configured, "options"));
	entry->runtime.name_length = (uint32_t)strlen(name);
	entry->runtime.shim_length = (uint32_t)strlen(entry->runtime.shim);
	return r;
}

/* Configured and stock runtimes merged in order of name; a configured one replaces a stock one (C44). */
static int derive_all(struct derivation *d, struct rtreg_snapshot *snapshot, const struct value *configured)
{
	size_t stock = 0, count = 0;
	int r = 0;

	for (uint32_t i = 0; i <= configured->count && r == 0; i++) {
		const char *name = i < configured->count ? configured->members[i].key : NULL;
		int order = 1;

		while (stock < ARRAY_SIZE(stock_names) && r == 0 &&
		       (!name || (order = strcmp(stock_names[stock], name)) <= 0)) {
			if (!name || order < 0)
				r = derive_one(d, &snapshot->runtimes[count++], stock_names[stock], NULL);
			stock++;
		}
		if (name && r == 0)
			r = derive_one(d, &snapshot->runtimes[count++], name, &configured->members[i].value);
	}
	snapshot->runtime_count = count;
	return r;
}

int derive_runtimes(struct rtreg_snapshot *snapshot, const struct derive_context *context,
                    struct script_list *ret)
{
	const struct value *configured = settings_get(&snapshot->settings, KEY_ID_RUNTIMES);
	struct script_list scripts = {0};
	struct derivation d = {.arena = snapshot->arena, .context = context, .scripts = &scripts};
	int r = -ENOMEM;

	d.common = snapshot->common_options = common_options(snapshot->arena, &snapshot->settings);
	d.same_common = d.common && context->before && strcmp(context->before->common_options, d.common) == 0;
	snapshot->runtimes = arena_alloc_array(snapshot->arena, configured->count + ARRAY_SIZE(stock_names),
	                                       sizeof(*snapshot->runtimes));
	if (d.common && snapshot->runtimes)
		r = derive_all(&d, snapshot, configured);
	text_fini(&d.text);
	if (r < 0) {
		script_list_fini(&scripts);
		return r;
	}
	snapshot->script_taken = d.taken;
	snapshot->script_count = d.taken + scripts.count;
	*ret = scripts;
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int derive_binaries(const struct settings *settings, const char ***ret, size_t *ret_count)
{
	const struct value *configured = settings_get(settings, KEY_ID_RUNTIMES);
	const char **paths = calloc(configured->count + 1, sizeof(*paths));
	size_t count = 0, distinct = 0;

	if (!paths)
		return -ENOMEM;
	paths[count++] = STOCK_BINARY;
	for (uint32_t i = 0; i < configured->count; i++) {
		const char *path = value_string(value_member(&configured->members[i].value, "path"));

		if (path)
			paths[count++] = path;
	}
	qsort(paths, count, sizeof(*paths), compare_strings);
	for (size_t i = 0; i < count; i++)
		if (distinct == 0 || strcmp(paths[distinct - 1], paths[i]) != 0)
			paths[distinct++] = paths[i];
	*ret = paths;
	*ret_count = distinct;
	return 0;
}
