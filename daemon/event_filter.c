/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters may come from whoever can read, and be asked about events of megabytes by a thousand followers: so what is
 * looked for in an event's attributes is written as it stands there once, when the filter is read, and found among them
 * by halves.
 */
#include "event_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/problems.h"
#include "values/parse.h"
#include "values/value.h"

struct wanted {
	const char *value; /* as it was given */
	const char *
	        member; /* the beginning of a member of the attributes that has it; NULL: none is looked for */
};

typedef bool (*match_fn)(const struct event *event, const struct wanted *wanted);
typedef void (*member_fn)(struct text *text, const char *value);

/* --- what a value is compared with */

static bool type_is(const struct event *event, const struct wanted *wanted)
{
	return strcmp(event->type, wanted->value) == 0;
}

static bool action_is(const struct event *event, const struct wanted *wanted)
{
	return strcmp(event->action, wanted->value) == 0;
}

static bool scope_is(const struct event *event, const struct wanted *wanted)
{
	(void)event;
	return strcmp(wanted->value, "local") == 0;
}

static int compare_beginning(const void *wanted, const void *member)
{
	return strncmp(wanted, *(const char *const *)member, strlen(wanted));
}

static bool has_member(const struct event *event, const struct wanted *wanted)
{
	return bsearch(wanted->member, event->members, event->member_count, sizeof(*event->members),
	               compare_beginning) != NULL;
}

static bool is_named(const struct event *event, const struct wanted *wanted)
{
	bool by_id = event->actor_id && strncmp(event->actor_id, wanted->value, strlen(wanted->value)) == 0;

	return by_id || has_member(event, wanted);
}

static bool is_daemon(const struct event *event, const struct wanted *wanted)
{
	return strcmp(event->type, "daemon") == 0 && is_named(event, wanted);
}

static bool is_container(const struct event *event, const struct wanted *wanted)
{
	return strcmp(event->type, "container") == 0 && is_named(event, wanted);
}

static bool is_never(const struct event *event, const struct wanted *wanted)
{
	(void)event;
	(void)wanted;
	return false;
}

/* "name":"VALUE without the quote at its end: a beginning of the name is enough. */
static void write_name(struct text *text, const char *value)
{
	json_member_string(text, "name", value);
	text->length -= text->failed ? 0 : 1;
}

/* "KEY": or "KEY":"VALUE" */
static void write_label(struct text *text, const char *value)
{
	size_t key = strcspn(value, "=");

	json_string_n(text, value, key);
	text_append_char(text, ':');
	if (value[key] == '=')
		json_string(text, value + key + 1);
}

static const struct {
	const char *name;
	match_fn matches;
	member_fn write_member; /* NULL: the attributes do not matter */
	bool all;               /* every value must match, not one of them */
} names[] = {
        {"type", type_is, NULL, false},
        {"event", action_is, NULL, false},
        {"scope", scope_is, NULL, false},
        {"daemon", is_daemon, write_name, false},
        {"container", is_container, write_name, false},
        {"label", has_member, write_label, true},
        {"image", is_never, NULL, false},
        {"network", is_never, NULL, false},
        {"volume", is_never, NULL, false},
        {"plugin", is_never, NULL, false},
        {"node", is_never, NULL, false},
        {"service", is_never, NULL, false},
        {"secret", is_never, NULL, false},
        {"config", is_never, NULL, false},
};

struct event_filter {
	struct arena *arena;
	struct {
		struct wanted *wanted;
		size_t count;
		bool set;
	} of[ARRAY_SIZE(names)];
};

/* --- reading */

static int find_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int refuse(struct rtreg_error *error, const char *what)
{
	return error_set(error, -EINVAL, "filters", "invalid filter '%s'", what);
}

static int add_wanted(struct event_filter *filter, int name, const char *value)
{
	struct wanted *wanted = &filter->of[name].wanted[filter->of[name].count++];
	_cleanup_text_ struct text member = {0};

	wanted->value = value;
	if (!names[name].write_member)
		return 0;
	names[name].write_member(&member, value);
	if (!member.failed)
		wanted->member = arena_strndup(filter->arena, member.data, member.length);
	return wanted->member ? 0 : -ENOMEM;
}

/* `values` is an array of strings, or an object of booleans. -EBADMSG: neither. */
static int add_values(struct event_filter *filter, int name, const struct value *values)
{
	bool array = values->type == VALUE_ARRAY;
	int rc = 0;

	if (!array && values->type != VALUE_OBJECT)
		return -EBADMSG;
	filter->of[name].set = values->count > 0;
	filter->of[name].wanted =
	        arena_alloc_array(filter->arena, values->count, sizeof(*filter->of[name].wanted));
	if (!filter->of[name].wanted)
		return -ENOMEM;
	for (uint32_t i = 0; i < values->count && rc == 0; i++) {
		const struct value *value = array ? &values->elements[i] : &values->members[i].value;

		if (value->type != (array ? VALUE_STRING : VALUE_BOOL))
			rc = -EBADMSG;
		else if (array || value->boolean)
			rc = add_wanted(filter, name, array ? value->string : values->members[i].key);
	}
	return rc;
}

static int fill(struct event_filter *filter, const char *json, struct rtreg_error *error)
{
	struct value root;
	int rc = parse_json(filter->arena, json, strlen(json), &root, NULL);

	if (rc == 0 && root.type != VALUE_NULL && root.type != VALUE_OBJECT)
		rc = -EBADMSG;
	for (uint32_t i = 0; rc == 0 && root.type == VALUE_OBJECT && i < root.count; i++) {
		int name = find_name(root.members[i].key);

		if (name < 0)
			return refuse(error, root.members[i].key);
		rc = add_values(filter, name, &root.members[i].value);
	}
	if (rc < 0 && rc != -ENOMEM)
		return refuse(error, json);
	return rc == -ENOMEM ? error_no_memory(error) : rc;
}

int event_filter_new(const char *json, struct event_filter **ret, struct rtreg_error *error)
{
	struct event_filter *filter = calloc(1, sizeof(*filter));
	int rc;

	if (filter)
		filter->arena = arena_new();
	rc = filter && filter->arena ? fill(filter, json, error) : error_no_memory(error);
	if (rc < 0)
		event_filter_free(filter);
	else
		*ret = filter;
	return rc;
}

void event_filter_free(struct event_filter *filter)
{
	if (!filter)
		return;
	arena_free(filter->arena);
	free(filter);
}

/* --- matching */

static bool name_passes(const struct event_filter *filter, size_t name, const struct event *event)
{
	for (size_t i = 0; i < filter->of[name].count; i++)
		if (names[name].matches(event, &filter->of[name].wanted[i]) != names[name].all)
			return !names[name].all;
	return names[name].all || !filter->of[name].set;
}

bool event_filter_passes(const struct event_filter *filter, const struct event *event)
{
	for (size_t i = 0; filter && i < ARRAY_SIZE(names); i++)
		if (filter->of[i].set && !name_passes(filter, i, event))
			return false;
	return true;
}
