/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps 1 to 3 of docs/reload.md: from a source to a checked draft. */
#include <errno.h>

#include "bytes/encoding.h"
#include "bytes/source.h"
#include "registry/registry.h"
#include "values/parse.h"

/* --- bytes --- */

static int read_main(struct input *input, const struct setup *setup, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};
	int r = sources_add_file(&input->sources, setup->config_file, &own);

	if (r == -ENOENT && !setup->config_named) {
		input->missing = true;
		return 0;
	}
	if (r < 0)
		error_move(error, &own);
	return r;
}

static int read_sources(struct input *input, const struct setup *setup, const struct rtreg_source *source,
                        const struct overlay *overlay, struct rtreg_error *error)
{
	int r;

	if (source && source->bytes)
		return sources_add_body(&input->sources, source->bytes, source->size, error);
	if (source && source->file)
		return sources_add_file(&input->sources, source->file, error);
	input->configured = true;
	r = read_main(input, setup, error);
	if (r == 0)
		r = sources_add_dropins(&input->sources, setup->config_file, overlay, error);
	return r;
}

/* --- bytes to trees --- */

static int parse(struct arena *arena, const struct source *source, struct value *ret,
                 struct rtreg_error *error)
{
	_cleanup_free_ char *own = NULL;
	const char *text;
	size_t length;
	int r;

	if (source->size > SOURCE_MAX)
		return error_set(error, -EFBIG, "configuration",
		                 "configuration is %zu bytes; at most %zu are read", source->size,
		                 SOURCE_MAX);
	r = encoding_text(source->bytes, source->size, &text, &length, &own, error);
	if (r == 0)
		r = parse_json(arena, text, length, ret, error);
	return r;
}

/* Adds what was found in one source: of a drop-in it is said which. */
static void take_problems(struct problems *to, struct problems *from, const struct source *source)
{
	problems_take_of(to, from, source->name ? source->path : NULL, source->name);
}

/* What keeps a source from being read as JSON is told of all of them, and of nothing else. */
static int parse_all(struct input *input, struct value *trees, struct problems *problems,
                     struct rtreg_error *error)
{
	for (size_t i = 0; i < input->sources.count; i++) {
		_cleanup_problems_ struct problems found = {0};
		_cleanup_error_ struct rtreg_error own = {0};
		int r = parse(input->arena, &input->sources.items[i], &trees[i], &own);

		if (r == -ENOMEM)
			return error_no_memory(error);
		if (r < 0)
			problems_error(&found, r, own.where, "%s", own.message);
		take_problems(problems, &found, &input->sources.items[i]);
	}
	return problems_result(problems, error);
}

/* --- trees to settings --- */

static const char *shown_path(const struct source *source)
{
	return source->path ? source->path : "the request's body";
}

static int read_settings(struct input *input, const struct keyset *keys, struct value *trees,
                         struct problems *problems)
{
	const struct sources *sources = &input->sources;
	_cleanup_free_ struct layer *layers = calloc(sources->count + 1, sizeof(*layers));
	int r = layers ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sources->count; i++) {
		const struct source *source = &sources->items[i];
		_cleanup_problems_ struct problems found = {0};

		layers[i].path = shown_path(source);
		layers[i].fragment = source->name ? arena_strdup(input->arena, source->name) : NULL;
		if (source->name && !layers[i].fragment)
			return -ENOMEM;
		r = settings_from_tree(input->arena, keys, &trees[i], &layers[i].settings, &found);
		take_problems(problems, &found, source);
		if (r == 0 && !source->name)
			input->has_runtimes = layers[i].settings.items[KEY_ID_RUNTIMES].set;
	}
	if (r == 0)
		r = settings_merge(input->arena, keys, layers, sources->count, &input->file, problems);
	return r;
}

int input_read(struct input *input, const struct setup *setup, const struct keyset *keys,
               const struct rtreg_source *source, const struct overlay *overlay, struct problems *problems,
               struct rtreg_error *error)
{
	_cleanup_free_ struct value *trees = NULL;
	int r;

	*input = (struct input){.arena = arena_new()};
	if (!input->arena)
		return error_no_memory(error);
	r = read_sources(input, setup, source, overlay, error);
	if (r < 0)
		return r;
	input->complete = true;
	trees = calloc(input->sources.count + 1, sizeof(*trees));
	if (!trees)
		return error_no_memory(error);
	r = parse_all(input, trees, problems, error);
	if (r < 0)
		return r;
	r = read_settings(input, keys, trees, problems);
	if (r < 0)
		return error_no_memory(error);
	settings_conflicts(&setup->flags, &input->file, problems);
	return 0;
}

int input_restore(struct input *input, const struct keyset *keys, const struct rtreg_snapshot *snapshot,
                  struct rtreg_error *error)
{
	*input = (struct input){.arena = arena_new(), .restore = snapshot};
	if (!input->arena || settings_init(input->arena, keys, &input->file) < 0)
		return error_no_memory(error);
	return 0;
}

int input_digest(const struct input *input, char ret[DIGEST_LENGTH + 1])
{
	_cleanup_text_ struct text files = {0};

	ret[0] = '\0';
	if (!input->configured)
		return 0;
	for (size_t i = 0; i < input->sources.count; i++) {
		const struct source *source = &input->sources.items[i];
		char content[DIGEST_LENGTH + 1];

		digest_hex(source->bytes, source->size, content);
		text_printf(&files, "%s %s/", content, source->name ? source->name : "");
	}
	if (files.failed)
		return -ENOMEM;
	digest_hex(text_string(&files), files.length, ret);
	return 0;
}

int input_digest_files(const struct setup *setup, char ret[DIGEST_LENGTH + 1])
{
	_cleanup_(input_fini) struct input input = {0};
	int r = read_sources(&input, setup, NULL, NULL, NULL);

	return r < 0 ? r : input_digest(&input, ret);
}

void input_fini(struct input *input)
{
	arena_free(input->arena);
	sources_fini(&input->sources);
	probe_answers_free(input->features);
	*input = (struct input){0};
}

/* --- checks --- */

/* The drop-in that set what `where` names (`labels`, `runtimes.kata`), or NULL. */
static const char *owner_of(const struct settings *settings, const char *where)
{
	static const char runtimes[] = "runtimes.";
	const struct setting *setting = &settings->items[KEY_ID_RUNTIMES];
	int index = keyset_find(settings->keys, where);

	if (index >= 0)
		return settings->items[index].fragment;
	if (strncmp(where, runtimes, strlen(runtimes)) != 0)
		return NULL;
	for (uint32_t i = 0; i < setting->value.count; i++)
		if (strcmp(setting->value.members[i].key, where + strlen(runtimes)) == 0)
			return settings_member_fragment(setting, i);
	return NULL;
}

/* What a change brings is no file's yet: of that it is not said. */
static const struct source *source_to_tell(const struct input *input, const char *name)
{
	for (size_t i = 0; name && i < input->sources.count; i++) {
		const struct source *source = &input->sources.items[i];

		if (source->name && strcmp(source->name, name) == 0)
			return source->overlaid ? NULL : source;
	}
	return NULL;
}

/* The checks look at values, wherever they are from; of what is a drop-in's it is said here. */
static void check(struct draft *draft, const struct input *input, struct problems *problems)
{
	_cleanup_problems_ struct problems found = {0};

	draft->problems = &found;
	draft_check(draft);
	draft->problems = problems;
	for (size_t i = 0; i < found.errors.count; i++) {
		const struct problem *error = &found.errors.items[i];
		const struct source *source =
		        source_to_tell(input, owner_of(&draft->candidate, error->where));

		problems_copy_of(problems, error, source ? source->path : NULL, source ? source->name : NULL);
	}
	problems_take_warnings(problems, &found);
}

int draft_build(struct draft *draft, const struct setup *setup, const struct input *input,
                const struct rtreg_snapshot *live, struct statistics *statistics, struct problems *problems,
                struct rtreg_error *error)
{
	struct draft_input sources = {.file = &input->file,
	                              .has_runtimes = input->has_runtimes,
	                              .flags = &setup->flags,
	                              .defaults = &setup->defaults,
	                              .live = live,
	                              .restore = input->restore,
	                              .exact = input->exact,
	                              .like_a_start = input->missing};
	int64_t at_ns = statistics_now_ns();
	int r = draft_init(draft, input->arena, &sources, problems);

	if (r == 0)
		r = steps_merge(draft);
	if (r < 0)
		return error_no_memory(error);
	at_ns = statistics_stage(statistics, STAGE_MERGE, at_ns);
	check(draft, input, problems);
	statistics_stage(statistics, STAGE_CHECK, at_ns);
	return problems_result(problems, error);
}
