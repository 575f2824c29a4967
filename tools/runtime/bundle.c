/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/bundle.h"

#include <errno.h>

#include "base/problems.h"
#include "bytes/source.h"
#include "values/parse.h"

/* As crun, which enters the bundle before it opens what --config names. */
static const char *config_path(struct arena *arena, const struct invocation *invocation)
{
	const char *bundle = invocation->bundle, *config = invocation->config;

	if (!config || !*config)
		config = "config.json";
	if (!bundle || !*bundle || config[0] == '/')
		return config;
	return arena_printf(arena, "%s/%s", bundle, config);
}

static int find_annotation(const char *path, const struct value *root, const char **ret,
                           struct rtreg_error *error)
{
	const struct value *annotations = NULL, *annotation = NULL;

	if (root->type != VALUE_OBJECT)
		return error_set(error, -EINVAL, path, "%s: it must hold a JSON object, not %s", path,
		                 value_type_name(root->type));
	annotations = value_member(root, "annotations");
	if (annotations && annotations->type == VALUE_OBJECT)
		annotation = value_member(annotations, RUNTIME_ANNOTATION);
	/* To what engines read it with, null is an empty string. */
	if (!annotation || annotation->type == VALUE_NULL) {
		*ret = "";
		return 0;
	}
	if (annotation->type != VALUE_STRING)
		return error_set(error, -EINVAL, path,
		                 "%s: the annotation " RUNTIME_ANNOTATION " must be a string, not %s", path,
		                 value_type_name(annotation->type));
	*ret = annotation->string;
	return 0;
}

int bundle_runtime(struct arena *arena, const struct invocation *invocation, const char **ret,
                   struct rtreg_error *error)
{
	const char *path = config_path(arena, invocation);
	_cleanup_error_ struct rtreg_error why = {0};
	_cleanup_free_ char *text = NULL;
	struct value root;
	size_t size;
	int r;

	if (!path)
		return error_no_memory(error);
	r = source_read(path, &text, &size, error);
	if (r < 0)
		return r;
	r = parse_json(arena, text, size, &root, &why);
	if (r < 0)
		return error_set(error, r, path, "%s: %s", path, why.message);
	return find_annotation(path, &root, ret, error);
}
