/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels of the engine (C34). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "checks/list.h"
#include "checks/name_table.h"

static bool is_reserved(const char *label)
{
	static const char *const namespaces[] = {"com.docker.", "io.docker.", "org.dockerproject."};

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (strncasecmp(label, namespaces[i], strlen(namespaces[i])) == 0)
			return true;
	return false;
}

/* The key of `KEY=VALUE`; none if it has not that form. */
static struct span key_of(const char *label)
{
	const char *equals = strchr(label, '=');

	if (!equals || equals == label)
		return (struct span){0};
	return (struct span){.start = label, .length = (size_t)(equals - label)};
}

static void check_form(const char *label, struct problems *problems)
{
	if (!key_of(label).start)
		problems_error(problems, -EINVAL, "labels", "bad attribute format: %s", label);
	else if (is_reserved(label))
		problems_error(problems, -EINVAL, "labels",
		               "label %s is not allowed: the namespaces com.docker.*, io.docker.*, and "
		               "org.dockerproject.* are reserved for internal use",
		               label);
}

static void check_conflicts(const struct value *labels, struct problems *problems)
{
	_cleanup_name_table_ struct name_table keys = {0};

	if (name_table_init(&keys, labels->count) < 0) {
		problems->failed = true;
		return;
	}
	for (uint32_t i = 0; i < labels->count; i++) {
		const char *label = labels->elements[i].string, *earlier;
		struct span key = key_of(label);

		if (!key.start)
			continue;
		/* A key is the beginning of its label, so it leads to the first label that has it. */
		earlier = keys.names[name_table_add(&keys, key)].start;
		if (strcmp(label, earlier) != 0)
			problems_error(problems, -EINVAL, "labels", "conflict labels for %s and %s", label,
			               earlier);
	}
}

void check_labels(const struct settings *settings, struct problems *problems)
{
	const struct value *labels = settings_get(settings, KEY_ID_LABELS);

	for (uint32_t i = 0; i < labels->count; i++)
		check_form(labels->elements[i].string, problems);
	check_conflicts(labels, problems);
}

int labels_unique(struct arena *arena, const struct value *labels, struct value *ret)
{
	_cleanup_name_table_ struct name_table table = {0};
	struct value list = {.type = VALUE_ARRAY};

	list.elements = arena_alloc_array(arena, labels->count, sizeof(*list.elements));
	if (!list.elements || name_table_init(&table, labels->count) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < labels->count; i++) {
		const struct value *label = &labels->elements[i];

		if (name_table_add(&table, span_of(label->string)) != list.count)
			continue;
		if (!value_copy(arena, label, &list.elements[list.count++]))
			return -ENOMEM;
	}
	*ret = list;
	return 0;
}
