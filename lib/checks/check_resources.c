/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of `name=value`: node-generic-resources (C36) and exec-opts (C38). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "checks/list.h"
#include "checks/name_table.h"

#define RESOURCE_ERROR "could not parse GenericResource: "

/* What is left and right of the first '=', trimmed. False if there is none. */
static bool split(const char *term, struct span *ret_name, struct span *ret_value)
{
	const char *equals = strchr(term, '=');

	if (!equals)
		return false;
	*ret_name = span_trim((struct span){.start = term, .length = (size_t)(equals - term)});
	*ret_value = span_trim(span_of(equals + 1));
	return true;
}

/* A count, rather than a name: a decimal integer within 64 bits. */
static bool is_discrete(struct span value, bool *ret_negative)
{
	bool minus = value.length > 0 && value.start[0] == '-';
	int64_t number = 0;

	if (value.length > 0 && (minus || value.start[0] == '+')) {
		value.start++;
		value.length--;
	}
	if (!span_is_number(value))
		return false;
	for (size_t i = 0; i < value.length; i++) {
		int digit = value.start[i] - '0';

		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, minus ? -digit : digit, &number))
			return false;
	}
	*ret_negative = number < 0;
	return true;
}

/* All values of one kind of resource, and a list through them. */
struct kind {
	uint32_t first, last, count;
	bool discrete; /* one of them is */
	bool negative;
};

struct resource {
	struct span value;
	uint32_t next;
};

static void kind_add(struct kind *kind, struct resource *resources, uint32_t i)
{
	bool negative;

	if (kind->count++ == 0)
		kind->first = i;
	else
		resources[kind->last].next = i;
	kind->last = i;
	if (is_discrete(resources[i].value, &negative)) {
		kind->discrete = true;
		kind->negative = negative;
	}
}

static void report_mixed(struct span name, const struct kind *kind, const struct resource *resources,
                         struct problems *problems)
{
	_cleanup_text_ struct text values = {0};
	uint32_t at = kind->first;

	for (uint32_t i = 0; i < kind->count; i++, at = resources[at].next) {
		if (i > 0)
			text_append_char(&values, ' ');
		text_append_n(&values, resources[at].value.start, resources[at].value.length);
	}
	if (values.failed)
		problems->failed = true;
	problems_error(problems, -EINVAL, "node-generic-resources",
	               RESOURCE_ERROR "mixed discrete and named resources in expression '%.*s=[%s]'",
	               SPAN_ARGS(name), text_string(&values));
}

/* A kind is one count, or any number of names. */
static void check_kind(struct span name, const struct kind *kind, const struct resource *resources,
                       struct problems *problems)
{
	if (kind->discrete && kind->count > 1)
		report_mixed(name, kind, resources, problems);
	else if (kind->discrete && kind->negative)
		problems_error(problems, -EINVAL, "node-generic-resources",
		               RESOURCE_ERROR "cannot ask for negative resource %.*s", SPAN_ARGS(name));
}

static void read_resources(const struct value *terms, struct name_table *names, struct kind *kinds,
                           struct resource *resources, struct problems *problems)
{
	for (uint32_t i = 0; i < terms->count; i++) {
		const char *term = terms->elements[i].string;
		struct span name;

		if (split(term, &name, &resources[i].value) && strchr(term, '=') == strrchr(term, '='))
			kind_add(&kinds[name_table_add(names, name)], resources, i);
		else
			problems_error(problems, -EINVAL, "node-generic-resources",
			               RESOURCE_ERROR
			               "incorrect term %s, missing '=' or malformed expression",
			               term);
	}
}

void check_generic_resources(const struct settings *settings, struct problems *problems)
{
	const struct value *terms = settings_get(settings, KEY_ID_NODE_GENERIC_RESOURCES);
	_cleanup_name_table_ struct name_table names = {0};
	_cleanup_free_ struct resource *resources = NULL;
	_cleanup_free_ struct kind *kinds = NULL;

	if (terms->count == 0)
		return;
	resources = calloc(terms->count, sizeof(*resources));
	kinds = calloc(terms->count, sizeof(*kinds));
	if (!resources || !kinds || name_table_init(&names, terms->count) < 0) {
		problems->failed = true;
		return;
	}
	read_resources(terms, &names, kinds, resources, problems);
	for (uint32_t i = 0; i < names.count; i++)
		check_kind(names.names[i], &kinds[i], resources, problems);
}

static bool option_is(struct span option, const char *name)
{
	return option.length == strlen(name) && strncasecmp(option.start, name, option.length) == 0;
}

static void lower(char *string)
{
	for (; *string; string++)
		if (*string >= 'A' && *string <= 'Z')
			*string += 'a' - 'A';
}

static void report_unknown(const char *opt, struct span option, struct problems *problems)
{
	_cleanup_free_ char *name = strndup(option.start, option.length);

	if (!name) {
		problems->failed = true;
		return;
	}
	lower(name);
	problems_error(problems, -EINVAL, "exec-opts", "invalid exec-opt (%s): unknown option: '%s'", opt,
	               name);
}

static void check_exec_opt(const char *opt, struct problems *problems)
{
	struct span option, value;

	if (!split(opt, &option, &value) || option.length == 0 || value.length == 0)
		problems_error(problems, -EINVAL, "exec-opts",
		               "invalid exec-opt (%s): must be formatted 'opt=value'", opt);
	else if (option_is(option, "isolation"))
		problems_error(problems, -EINVAL, "exec-opts",
		               "invalid exec-opt (%s): option 'isolation' is only supported on windows", opt);
	else if (!option_is(option, "native.cgroupdriver"))
		report_unknown(opt, option, problems);
}

void check_exec_opts(const struct settings *settings, struct problems *problems)
{
	const struct value *opts = settings_get(settings, KEY_ID_EXEC_OPTS);

	for (uint32_t i = 0; i < opts->count; i++)
		check_exec_opt(opts->elements[i].string, problems);
}
