/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values/flag_value.h"

#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "base/utf8.h"
#include "values/read_value.h"
#include "values/runtime_limits.h"
#include "values/size.h"

/* `string` is the adder's own, in the arena, to be cut into pieces. */
typedef int (*adder)(struct arena *arena, char *string, struct value *value, struct text *why);

static int refuse(struct text *why, const char *reason)
{
	text_append(why, reason);
	return why->failed ? -ENOMEM : -EINVAL;
}

/* Room for one more item: a full array (they are powers of two long) is copied to one twice as long. */
static void *grow(struct arena *arena, void *items, uint32_t count, size_t size)
{
	void *larger;

	if (count > 0 && (count & (count - 1)) != 0)
		return items;
	larger = arena_alloc_array(arena, count > 0 ? (size_t)count * 2 : 1, size);
	if (larger && count > 0)
		memcpy(larger, items, count * size);
	return larger;
}

static int append_element(struct arena *arena, struct value *array, struct value element)
{
	struct value *elements = grow(arena, array->elements, array->count, sizeof(*elements));

	if (!elements)
		return -ENOMEM;
	array->elements = elements;
	elements[array->count++] = element;
	return 0;
}

static int append_member(struct arena *arena, struct value *object, const char *key, struct value value)
{
	struct member *members = grow(arena, object->members, object->count, sizeof(*members));

	if (!members)
		return -ENOMEM;
	object->members = members;
	members[object->count++] = (struct member){.key = key, .value = value};
	return 0;
}

static struct value *find_member(const struct value *object, const char *key)
{
	for (uint32_t i = 0; i < object->count; i++)
		if (strcmp(object->members[i].key, key) == 0)
			return &object->members[i].value;
	return NULL;
}

static int set_member(struct arena *arena, struct value *object, const char *key, struct value value)
{
	struct value *present = find_member(object, key);

	if (!present)
		return append_member(arena, object, key, value);
	*present = value;
	return 0;
}

/* Cuts "NAME=REST" in two and returns the rest; NULL if there is no name or no `=`. */
static char *cut(char *string)
{
	char *equals = strchr(string, '=');

	if (!equals || equals == string)
		return NULL;
	*equals = '\0';
	return equals + 1;
}

static bool parse_bool(const char *string, bool *ret)
{
	static const char *const words[][2] = {{"false", "true"}, {"0", "1"},        {"f", "t"},
	                                       {"F", "T"},        {"FALSE", "TRUE"}, {"False", "True"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int value = 0; value < 2; value++)
			if (strcmp(string, words[i][value]) == 0) {
				*ret = value;
				return true;
			}
	return false;
}

static bool parse_int(const char *string, int64_t *ret)
{
	size_t sign = string[0] == '-', digits = strspn(string + sign, "0123456789");

	if (digits == 0 || string[sign + digits] != '\0')
		return false;
	errno = 0;
	*ret = strtoll(string, NULL, 10);
	return errno == 0;
}

static int set_string(struct arena *arena, char *string, struct value *value, struct text *why)
{
	(void)arena, (void)why;
	*value = value_of_string(string);
	return 0;
}

static int set_bool(struct arena *arena, char *string, struct value *value, struct text *why)
{
	bool boolean;

	(void)arena;
	if (!parse_bool(string, &boolean))
		return refuse(why, "true or false is wanted");
	*value = value_of_bool(boolean);
	return 0;
}

static int set_int(struct arena *arena, char *string, struct value *value, struct text *why)
{
	int64_t integer;

	(void)arena;
	if (!parse_int(string, &integer))
		return refuse(why, "an integer is wanted");
	*value = value_of_int(integer);
	return 0;
}

static int set_bytes(struct arena *arena, char *string, struct value *value, struct text *why)
{
	_cleanup_error_ struct rtreg_error error = {0};
	int64_t bytes;

	(void)arena;
	if (size_parse(string, &bytes, &error) < 0)
		return refuse(why, error.message);
	*value = value_of_int(bytes);
	return 0;
}

static int set_ip(struct arena *arena, char *string, struct value *value, struct text *why)
{
	(void)arena;
	if (*string && !read_ip_is_valid(string))
		return refuse(why, "an IP address is wanted");
	*value = value_of_string(string);
	return 0;
}

static int add_string(struct arena *arena, char *string, struct value *value, struct text *why)
{
	(void)why;
	return append_element(arena, value, value_of_string(string));
}

static int add_ip(struct arena *arena, char *string, struct value *value, struct text *why)
{
	if (!read_ip_is_valid(string))
		return refuse(why, "an IP address is wanted");
	return append_element(arena, value, value_of_string(string));
}

static int add_pool(struct arena *arena, char *string, struct value *value, struct text *why)
{
	struct value pool = {.type = VALUE_OBJECT};
	const char *base = NULL, *size = NULL;
	char *rest = string, *field;
	int64_t bits = 0;
	int r;

	while ((field = strsep(&rest, ","))) {
		const char *setting = cut(field);

		if (setting && strcmp(field, "base") == 0)
			base = setting;
		else if (setting && strcmp(field, "size") == 0 && parse_int(setting, &bits))
			size = setting;
		else
			return refuse(why, "base=CIDR,size=N is wanted");
	}
	if (!base || !size)
		return refuse(why, "base=CIDR,size=N is wanted");
	r = append_member(arena, &pool, "base", value_of_string(base));
	if (r == 0)
		r = append_member(arena, &pool, "size", value_of_int(bits));
	return r == 0 ? append_element(arena, value, pool) : r;
}

static int add_pair(struct arena *arena, char *string, struct value *value, struct text *why)
{
	const char *rest = cut(string);

	if (!rest)
		return refuse(why, "NAME=VALUE is wanted");
	return set_member(arena, value, string, value_of_string(rest));
}

static int add_feature(struct arena *arena, char *string, struct value *value, struct text *why)
{
	const char *rest = strchr(string, '=') ? cut(string) : "true";
	bool boolean;

	if (!*string || !rest || !parse_bool(rest, &boolean))
		return refuse(why, "NAME, NAME=true or NAME=false is wanted");
	return set_member(arena, value, string, value_of_bool(boolean));
}

static int add_driver_option(struct arena *arena, char *string, struct value *value, struct text *why)
{
	char *option = cut(string), *setting = option ? cut(option) : NULL;
	struct value options = {.type = VALUE_OBJECT};
	struct value *present;
	int r;

	if (!setting)
		return refuse(why, "DRIVER=NAME=VALUE is wanted");
	present = find_member(value, string);
	if (present)
		return set_member(arena, present, option, value_of_string(setting));
	r = append_member(arena, &options, option, value_of_string(setting));
	return r == 0 ? append_member(arena, value, string, options) : r;
}

static int add_ulimit(struct arena *arena, char *string, struct value *value, struct text *why)
{
	struct value limit = {.type = VALUE_OBJECT};
	char *hard = cut(string), *soft = hard ? strsep(&hard, ":") : NULL;
	int64_t soft_limit, hard_limit;
	int r;

	if (!soft || !parse_int(soft, &soft_limit) || !parse_int(hard ? hard : soft, &hard_limit))
		return refuse(why, "NAME=SOFT or NAME=SOFT:HARD is wanted");
	/* -1 is no limit */
	if (hard_limit != -1 && (soft_limit == -1 || soft_limit > hard_limit))
		return refuse(why, "the soft limit must not be above the hard limit");
	r = append_member(arena, &limit, "Hard", value_of_int(hard_limit));
	if (r == 0)
		r = append_member(arena, &limit, "Name", value_of_string(string));
	if (r == 0)
		r = append_member(arena, &limit, "Soft", value_of_int(soft_limit));
	return r == 0 ? set_member(arena, value, string, limit) : r;
}

/* Appends without a look at those before: settings_flags.c finds doubles when they are sorted. */
static int add_runtime(struct arena *arena, char *string, struct value *value, struct text *why)
{
	struct value runtime = {.type = VALUE_OBJECT};
	const char *path = cut(string);
	int r;

	if (!path || !*path)
		return refuse(why, "NAME=PATH is wanted");
	if (!runtime_name_is_valid(string, why))
		return why->failed ? -ENOMEM : -EINVAL;
	r = append_member(arena, &runtime, "path", value_of_string(path));
	return r == 0 ? append_member(arena, value, string, runtime) : r;
}

static const adder adders[] = {
        [KEY_STRING] = set_string,
        [KEY_BOOL] = set_bool,
        [KEY_INT] = set_int,
        [KEY_BYTES] = set_bytes,
        [KEY_IP] = set_ip,
        [KEY_STRINGS] = add_string,
        [KEY_IPS] = add_ip,
        [KEY_POOLS] = add_pool,
        [KEY_STRING_MAP] = add_pair,
        [KEY_BOOL_MAP] = add_feature,
        [KEY_STRING_MAPS] = add_driver_option,
        [KEY_ULIMITS] = add_ulimit,
        [KEY_RUNTIMES] = add_runtime,
};

/* A configuration's strings are UTF-8; arguments of a program may be anything. */
static bool is_utf8(const char *string, size_t length)
{
	size_t size;

	for (size_t at = 0; at < length; at += size) {
		size = utf8_sequence(string + at, length - at);
		if (size == 0)
			return false;
	}
	return true;
}

int flag_value_add(struct arena *arena, enum key_type type, const char *string, struct value *value,
                   struct text *why)
{
	char *copy;

	if (!is_utf8(string, strlen(string)))
		return refuse(why, "it is not UTF-8");
	copy = arena_strdup(arena, string);
	return copy ? adders[type](arena, copy, value, why) : -ENOMEM;
}
