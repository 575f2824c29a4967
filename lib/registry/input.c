/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps 1 to 3 of docs/reload.md: from a source to a checked draft. */
#include <errno.h>

#include "bytes/encoding.h"
#include "bytes/source.h"
#include "registry/registry.h"
#include "values/parse.h"

static int from_bytes(struct input *input, const struct keyset *keys, const char *bytes, size_t size,
                      struct problems *problems, struct rtreg_error *error)
{
	_cleanup_free_ char *text = NULL;
	struct value tree;
	size_t length;
	int r;

	if (size > SOURCE_MAX)
		return error_set(error, -EFBIG, "configuration",
		                 "configuration is %zu bytes; at most %zu are read", size, SOURCE_MAX);
	r = encoding_to_utf8(bytes, size, &text, &length, error);
	if (r < 0)
		return r;
	r = parse_json(input->arena, text, length, &tree, error);
	if (r < 0)
		return r;
	r = settings_from_tree(input->arena, keys, &tree, &input->file, problems);
	return r < 0 ? error_no_memory(error) : 0;
}

static int from_file(struct input *input, const struct setup *setup, const struct keyset *keys,
                     const char *path, struct problems *problems, struct rtreg_error *error)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_error_ struct rtreg_error own = {0};
	size_t size = 0;
	int r = source_read(path, &bytes, &size, &own);

	if (r == -ENOENT && !setup->config_named && path == setup->config_file) {
		input->missing = true;
		return from_bytes(input, keys, "", 0, problems, error);
	}
	if (r < 0) {
		if (error) {
			rtreg_error_fini(error);
			*error = own;
			own = (struct rtreg_error){0};
		}
		return r;
	}
	return from_bytes(input, keys, bytes, size, problems, error);
}

int input_read(struct input *input, const struct setup *setup, const struct keyset *keys,
               const struct rtreg_source *source, struct problems *problems, struct rtreg_error *error)
{
	int r;

	*input = (struct input){.arena = arena_new()};
	if (!input->arena)
		return error_no_memory(error);
	if (source && source->bytes)
		r = from_bytes(input, keys, source->bytes, source->size, problems, error);
	else
		r = from_file(input, setup, keys, source && source->file ? source->file : setup->config_file,
		              problems, error);
	if (r < 0)
		input_fini(input);
	else
		settings_conflicts(&setup->flags, &input->file, problems);
	return r;
}

void input_fini(struct input *input)
{
	arena_free(input->arena);
	probe_answers_free(input->features);
	*input = (struct input){0};
}

int draft_build(struct draft *draft, const struct setup *setup, const struct input *input,
                const struct rtreg_snapshot *live, struct statistics *statistics, struct problems *problems,
                struct rtreg_error *error)
{
	struct draft_input sources = {.file = &input->file,
	                              .flags = &setup->flags,
	                              .defaults = &setup->defaults,
	                              .live = live,
	                              .like_a_start = input->missing};
	int64_t at_ns = statistics_now_ns();
	int r = draft_init(draft, input->arena, &sources, problems);

	if (r == 0)
		r = steps_merge(draft);
	if (r < 0)
		return error_no_memory(error);
	at_ns = statistics_stage(statistics, STAGE_MERGE, at_ns);
	draft_check(draft);
	statistics_stage(statistics, STAGE_CHECK, at_ns);
	return problems_result(problems, error);
}
